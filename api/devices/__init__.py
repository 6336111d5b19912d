"""The HTTP API of devices (设备接口): gates, controllers and detectors, each with a key of its own."""
