"""Ways to a door's controller (门禁控制器): by MQTT, or simulated in this process."""
