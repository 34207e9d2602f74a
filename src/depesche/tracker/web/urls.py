from __future__ import annotations

from django.urls import path

from depesche.tracker.web.views import health, item, items, me, people, sign_in, unsubscribe, workspaces

app_name = "web"
urlpatterns = [
    path("", items.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("password/", sign_in.password_reset, name="password-reset"),
    path("password/<str:uid>/<str:token>/", sign_in.set_password, name="set-password"),
    path("language/", me.language, name="language"),
    path("me/", me.me, name="me"),
    path("me/password/", me.change_password, name="change-password"),
    path("work/", items.my_work, name="my-work"),
    path("items/", items.items, name="items"),
    path("items/new/", items.new_item, name="new-item"),
    path("items/<str:key>/", item.item, name="item"),
    path("items/<str:key>/thread/", item.thread, name="thread"),
    path("items/<str:key>/edit/", items.edit_item, name="edit-item"),
    path("items/<str:key>/comment/", item.comment, name="comment"),
    path("items/<str:key>/watch/", item.watch, name="watch"),
    path("items/<str:key>/told/<int:event_id>/", item.told, name="told"),
    path("files/<int:file_id>/<str:filename>", item.file, name="file"),
    path("people/", people.people, name="people"),
    path("people/new/", people.new_person, name="new-person"),
    path("people/<int:person_id>/", people.person, name="person"),
    path("people/<int:person_id>/deactivate/", people.deactivate, name="deactivate-person"),
    path("people/<int:person_id>/activate/", people.activate, name="activate-person"),
    path("workspaces/", workspaces.workspaces, name="workspaces"),
    path("workspaces/new/", workspaces.new_workspace, name="new-workspace"),
    path("workspaces/<str:key>/", workspaces.workspace, name="workspace"),
    path("workspaces/<str:key>/default/", workspaces.default_workspace, name="default-workspace"),
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
]
