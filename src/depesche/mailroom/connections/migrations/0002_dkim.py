
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('depesche_connections', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DkimKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=253)),
                ('selector', models.CharField(max_length=63)),
                ('algorithm', models.CharField(choices=[('rsa', 'RSA-2048'), ('ed25519', 'Ed25519')], max_length=10)),
                ('state', models.CharField(choices=[('waiting', 'waiting for its record'), ('active', 'signs'), ('retired', 'retired')], default='waiting', max_length=10)),
                ('private_encrypted', models.BinaryField(null=True)),
                ('record', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('checked_at', models.DateTimeField(null=True)),
                ('seen_at', models.DateTimeField(null=True)),
                ('activated_at', models.DateTimeField(null=True)),
                ('retired_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('domain', 'selector'), name='depesche_dkim_selector')],
            },
        ),
    ]
