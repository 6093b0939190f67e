# docker build -t chipweir . && docker run --rm -p 8050:8050 -e CHIPWEIR_TOKEN=choose-one chipweir
# docker run --rm -v "$PWD:/work" chipweir licence nvidia-h20 --to CN
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE requirements.lock ./
COPY src src
# The versions that requirements.lock pins, without their checksums, since the checkout has none.
RUN sed -E 's/ *\\$//; /^ *--hash=/d' requirements.lock > constraints.txt \
    && python -m venv /opt/chipweir && /opt/chipweir/bin/pip install --no-cache-dir -c constraints.txt '.[all]'

FROM python:3.12-slim
RUN useradd --create-home --uid 1000 chipweir && mkdir /work && chown chipweir /work
COPY --from=build /opt/chipweir /opt/chipweir
ENV PATH=/opt/chipweir/bin:$PATH LANG=C.UTF-8
USER chipweir
WORKDIR /work
EXPOSE 8050
ENTRYPOINT ["chipweir"]
CMD ["serve", "--host", "0.0.0.0"]
