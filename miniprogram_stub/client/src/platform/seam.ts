/** What differs from platform to platform. A screen asks this and never the platform. */
export interface Platform {
  name: 'h5' | 'weixin' | 'alipay'
  /** As which device a session shows in the list of devices. */
  device: string
  /** Whether one may sign in with the platform's own account. */
  hasOwnAccount: boolean
  /** Whether `scan` can read a code here. */
  canScan: boolean
  /** The platform's sign-in code, good once. */
  loginCode(): Promise<string>
  /** Hand a payment's `clientParameters` to the cashier. The server's word counts, whatever comes back. */
  pay(parameters: ClientParameter[]): Promise<PayOutcome>
  /** Ask for consent to messages, three templates at most; only in answer to a tap. */
  askConsent(templates: string[]): Promise<ConsentAnswer[]>
  /** The text of a code that the person scans; null where they did not. */
  scan(): Promise<string | null>
  /** A picture from the camera or the album, made smaller where the platform can; null where the person gave none. */
  choosePicture(): Promise<Picture | null>
  /** Where the device is (GCJ-02), or null where the person does not say. */
  location(): Promise<{ latitude: number; longitude: number } | null>
  /** Share an address; false where it was copied instead, and the screen has to say so. */
  share(what: { title: string; text: string; url: string }): Promise<boolean>
  /** Keep a picture on the device. False where the person did not allow it. */
  saveImage(url: string): Promise<boolean>
  copy(text: string): Promise<void>
  /** Open a PDF that the session may read. False where it could not be fetched or opened. */
  openPaper(paper: Paper): Promise<boolean>
}

export interface Picture {
  /** Where it lies on the device, to be shown and sent from. */
  path: string
  /** The picture itself, where the platform sends that. */
  file?: File
}

export interface Paper {
  url: string
  /** The session's access token. */
  token: string
  /** Its name as a file. */
  name: string
}

export interface ClientParameter {
  name: string
  value: string
}

/** `left`: the cashier was opened elsewhere, or was left without a word; only the server knows what became of it. */
export type PayOutcome = 'returned' | 'cancelled' | 'left'

export interface ConsentAnswer {
  template: string
  answer: 'ACCEPT' | 'REJECT'
}

/** The parameters as an object. */
export function named(parameters: ClientParameter[]): Record<string, string> {
  return Object.fromEntries(parameters.map(({ name, value }) => [name, value]))
}
