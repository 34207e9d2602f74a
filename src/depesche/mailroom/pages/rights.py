"""Who may open a page. Works with any user model that has `is_active` and `is_staff`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Leads to the sign-in page and, after it, back. A fragment asked for by htmx cannot be a page: the
    browser is told to go there as a whole, and back to the page that the fragment belongs to."""
    if request.headers.get("X-Poll"):  # a page that asks by itself: whoever types there is not sent away
        return HttpResponse(status=204)
    if request.headers.get("HX-Request") == "true":
        login = redirect_to_login(_path_of(request.headers.get("HX-Current-URL", "")) or "/")
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = login.headers["Location"]
        return response
    target = request.get_full_path() if request.method in {"GET", "HEAD"} else request.path
    return redirect_to_login(target)


def _path_of(url: str) -> str:
    """Path and query of an address; never another host."""
    _scheme, _, rest = url.partition("://")
    _host, slash, path = rest.partition("/")
    return f"/{path.lstrip('/')}" if slash else ""


def signed_in(view: View[P]) -> View[P]:
    """Only for people who signed in; others are led to the sign-in page."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated or not request.user.is_active:
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


def administrators_only(view: View[P]) -> View[P]:
    """Only for administrators: others who signed in get 403, anonymous visitors the sign-in page."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated or not request.user.is_active:
            return to_sign_in(request)
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
