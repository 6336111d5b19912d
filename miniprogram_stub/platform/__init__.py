"""Local stand-ins of WeChat, Alipay, their payment platforms, SMS, voice, Web Push and webhooks (平台替身).

A program of its own, `python -m miniprogram_stub.platform`, with its own books and keys. It shares no code
with the product: what the product may assume about a platform is only what goes over the wire.
"""
