
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('depesche_connections', '0005_oauth'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WaitingSample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(unique=True)),
                ('waiting', models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='WatchLease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner', models.CharField(blank=True, max_length=40)),
                ('until', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='AlarmOccurrence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('code', models.CharField(max_length=60)),
                ('level', models.CharField(max_length=10)),
                ('first_level', models.CharField(max_length=10)),
                ('facts', models.JSONField(default=dict)),
                ('words', models.JSONField(default=dict)),
                ('link', models.CharField(blank=True, max_length=100)),
                ('began_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('absent_since', models.DateTimeField(null=True)),
                ('over_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['over_at'], name='depesche_alarm_over')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('over_at__isnull', True)), fields=('key',), name='depesche_alarm_once')],
            },
        ),
        migrations.CreateModel(
            name='AlarmSettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(default='warning', max_length=10)),
                ('patience', models.PositiveIntegerField(default=5)),
                ('language', models.CharField(blank=True, max_length=10)),
                ('webhook_encrypted', models.BinaryField(null=True)),
                ('webhook_host', models.CharField(blank=True, max_length=300)),
                ('webhook_set_at', models.DateTimeField(null=True)),
                ('secret_encrypted', models.BinaryField(null=True)),
                ('secret_set_at', models.DateTimeField(null=True)),
                ('mail', models.BooleanField(default=False)),
                ('mail_to', models.TextField(blank=True)),
                ('late', models.PositiveIntegerField(default=15)),
                ('failed_per_day', models.PositiveIntegerField(default=20)),
                ('silence', models.BooleanField(default=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('updated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='AlarmTelling',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('way', models.CharField(choices=[('webhook', 'webhook'), ('mail', 'mail')], max_length=10)),
                ('event', models.CharField(choices=[('alarm', 'alarm'), ('worse', 'worse'), ('over', 'over')], max_length=10)),
                ('state', models.CharField(choices=[('due', 'is tried'), ('done', 'told'), ('given-up', 'given up'), ('dropped', 'no longer needed')], default='due', max_length=10)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('next_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True)),
                ('occurrence', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tellings', to='depesche_connections.alarmoccurrence')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'due')), fields=['next_at'], name='depesche_alarm_due')],
                'constraints': [models.UniqueConstraint(fields=('occurrence', 'way', 'event'), name='depesche_alarm_told_once')],
            },
        ),
    ]
