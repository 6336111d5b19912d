// Maps of China are drawn in GCJ-02, browsers measure in WGS-84: the published approximation, good to some metres.
const RADIUS_M = 6_378_245
const ECCENTRICITY = 0.006_693_421_622_965_943
const { PI, sin, cos, sqrt, abs } = Math

/** A place in WGS-84 degrees as one in GCJ-02 degrees. */
export function shifted(latitude: number, longitude: number): { latitude: number; longitude: number } {
  const x = longitude - 105
  const y = latitude - 35
  const short = wave(20, 6 * x) + wave(20, 2 * x)
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + short
    + wave(20, y) + wave(40, y / 3) + wave(160, y / 12) + wave(320, y / 30)
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + short
    + wave(20, x) + wave(40, x / 3) + wave(150, x / 12) + wave(300, x / 30)
  const bend = 1 - ECCENTRICITY * sin((latitude / 180) * PI) ** 2
  return {
    latitude: latitude + (north * 180) / (((RADIUS_M * (1 - ECCENTRICITY)) / (bend * sqrt(bend))) * PI),
    longitude: longitude + (east * 180) / ((RADIUS_M / sqrt(bend)) * cos((latitude / 180) * PI) * PI),
  }
}

function wave(height: number, turns: number): number {
  return (height * sin(turns * PI) * 2) / 3
}
