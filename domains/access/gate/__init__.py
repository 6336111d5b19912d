"""The verifier that a gate computer runs (道闸验码器): this folder, cryptography and cbor2, nothing else.

Modules import each other relatively, so that a gate vendor may take the folder under any name.
"""
