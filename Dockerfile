# One image per service: `docker build --build-arg SERVICE=ingest .` (or store, or render). Everything but the last steps
# is shared by all three.
FROM python:3.13-slim AS packages
COPY requirements/runtime.txt /tmp/runtime.txt
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r /tmp/runtime.txt \
 && /opt/venv/bin/pip uninstall --yes --quiet pip

FROM python:3.13-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin newsroom \
 && install -d -o newsroom -g newsroom /pages
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY LICENSE site.toml compose/is_ready.py ./
COPY shared/newsroom newsroom
ARG SERVICE
COPY services/__init__.py services/
COPY services/$SERVICE services/$SERVICE
RUN test -f services/$SERVICE/__main__.py && python -m compileall -q newsroom services
ENV SERVICE=$SERVICE
USER newsroom
CMD ["sh", "-c", "exec python -m services.$SERVICE"]
