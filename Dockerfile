FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc g++ libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /lab
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
RUN useradd --create-home lab && mkdir -p /var/lib/lab /home/lab/.cache/huggingface && chown -R lab /var/lib/lab /home/lab/.cache
USER lab
ENV PYTHONUNBUFFERED=1
