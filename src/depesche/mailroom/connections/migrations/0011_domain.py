
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('depesche_connections', '0010_history'),
    ]

    operations = [
        migrations.CreateModel(
            name='DomainLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=253, unique=True)),
                ('looked_at', models.DateTimeField(null=True)),
                ('next_at', models.DateTimeField()),
                ('records', models.JSONField(default=dict)),
            ],
        ),
    ]
