"""Entry point for a WSGI server.

Everything a page may need is loaded before the first request, and what was loaded is left out of later garbage collections:
a full one over the modules, policies and routes holds some page up for a quarter of a second.
"""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huimin.settings.base")
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018  (loads every view)
gc.collect()
gc.freeze()
