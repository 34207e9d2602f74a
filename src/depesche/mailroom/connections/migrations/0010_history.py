
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('depesche_connections', '0009_tagged_sender'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SettingsChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('by_name', models.CharField(blank=True, max_length=200)),
                ('area', models.CharField(choices=[('outgoing', 'Outgoing'), ('incoming', 'Incoming'), ('oauth', 'Login by OAuth 2.0'), ('keystore', 'Keystore'), ('signing', 'DKIM key'), ('senders', 'Sender'), ('alarms', 'Alarms')], max_length=20)),
                ('place', models.PositiveSmallIntegerField(default=0)),
                ('act', models.CharField(choices=[('found', 'found as it was'), ('changed', 'changed'), ('restored', 'restored'), ('added', 'added'), ('removed', 'removed'), ('activated', 'activated'), ('retired', 'retired'), ('revoked', 'revoked'), ('learnt', 'learnt')], max_length=20)),
                ('subject', models.CharField(blank=True, max_length=300)),
                ('changes', models.JSONField(default=list)),
                ('values', models.JSONField(null=True)),
                ('revision', models.PositiveIntegerField(default=0)),
                ('worked_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['area', 'place', 'id'], name='depesche_settings_change')],
            },
        ),
    ]
