from __future__ import annotations

from django.urls import path

from depesche.mailroom.connections.views import (
    alarms,
    certificate,
    discovery,
    domain,
    failover,
    history,
    incoming,
    keystore,
    oauth,
    outgoing,
    sender_rules,
    status,
)

app_name = "connections"
urlpatterns = [
    path("", status.status, name="status"),
    path("connection/", outgoing.outgoing, name="outgoing"),
    path("connection/test/", outgoing.start_test, name="test-outgoing"),
    path("connection/failover/", failover.failover, name="failover"),
    path("connection/failover/test/", failover.start_test, name="test-failover"),
    path("connection/rules/seen/", sender_rules.seen, name="rules-seen"),
    path("connection/rules/<int:rule_id>/revoke/", sender_rules.revoke, name="revoke-rule"),
    path("connection/find/", discovery.start, name="find"),
    path("connection/find/<str:key>/", discovery.run, name="find-run"),
    path("connection/find/<str:key>/stop/", discovery.stop, name="find-stop"),
    path("connection/fill/", discovery.fill, name="fill"),
    path("connection/effect/", outgoing.effect, name="effect"),
    path("test/<str:key>/", outgoing.test_run, name="test-run"),
    path("test/<str:key>/stop/", outgoing.stop_test, name="stop-test"),
    path("connection/oauth/return/", oauth.returned, name="oauth-return"),
    path("connection/oauth/disconnect/", oauth.disconnect, name="oauth-disconnect"),
    path("mailbox/", incoming.incoming, name="incoming"),
    path("mailbox/test/", incoming.start_test, name="test-incoming"),
    path("alarms/", alarms.page, name="alarms"),
    path("domain/", domain.domain, name="domain"),
    path("domain/look/", domain.look, name="domain-look"),
    path("domain/key/", domain.make_keys, name="make-keys"),
    path("domain/key/<int:key_id>/", domain.change_key, name="change-key"),
    path("history/", history.history, name="history"),
    path("history/<int:change_id>/restore/", history.restore, name="restore"),
    path("mailbox/<int:place>/", incoming.incoming, name="mailbox"),
    path("mailbox/<int:place>/test/", incoming.start_test, name="test-mailbox"),
    path("mailbox/<int:place>/remove/", incoming.remove, name="remove-mailbox"),
    path("keystore/", keystore.keystore, name="keystore"),
    path("keystore/server/", certificate.certificate, name="certificate"),
    path("keystore/trust/", certificate.trust, name="trust"),
    path("keystore/<int:entry_id>/remove/", keystore.remove, name="remove-certificate"),
]
