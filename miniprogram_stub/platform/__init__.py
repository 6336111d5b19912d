"""Local stand-ins of the WeChat, Alipay and SMS platforms (微信、支付宝、短信平台替身).

A program of its own, `python -m miniprogram_stub.platform`, with its own books and keys. It shares no code
with the product: what the product may assume about a platform is only what goes over the wire.
"""
