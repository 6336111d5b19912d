"""Local stand-ins of WeChat, Alipay, SMS, voice, Web Push and webhooks (微信、支付宝、短信、语音、推送替身).

A program of its own, `python -m miniprogram_stub.platform`, with its own books and keys. It shares no code
with the product: what the product may assume about a platform is only what goes over the wire.
"""
