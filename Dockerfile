# docker build -t chipweir . && docker run --rm -p 8050:8050 -e CHIPWEIR_TOKEN=choose-one chipweir
# docker run --rm -v "$PWD:/work" chipweir licence nvidia-h20 --to CN
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m venv /opt/chipweir && /opt/chipweir/bin/pip install --no-cache-dir '.[all]'

FROM python:3.12-slim
RUN useradd --create-home --uid 1000 chipweir && mkdir /work && chown chipweir /work
COPY --from=build /opt/chipweir /opt/chipweir
ENV PATH=/opt/chipweir/bin:$PATH LANG=C.UTF-8
USER chipweir
WORKDIR /work
EXPOSE 8050
ENTRYPOINT ["chipweir"]
CMD ["serve", "--host", "0.0.0.0"]
