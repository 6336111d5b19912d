"""The operations that are measured, as a client sends them."""

from __future__ import annotations

HOUSES = """
query Houses($id: ID!, $first: Int!) { compound(id: $id) { name houses(first: $first) {
  totalCount
  edges { node { id number buildingName unitName room floor builtAreaM2 innerAreaM2 use state isRented handedOverOn } }
  pageInfo { hasNextPage endCursor } } } }
"""

HOME = """
query Home { viewer { home {
  greeting { name partOfDay today }
  houses { occupancyId capacity sinceOn leaseUntilOn
    compound { id name servicePhone }
    house { id number builtAreaM2 state
      members { id name phone capacity relation isMe }
      vehicles { id kind plate plateColour brand } } }
  registrations { id compoundName place capacity state submittedAt reason }
  invitations { id compoundName houseNumber inviterName capacity expiresAt }
  cards { __typename key
    ... on RegistrationPendingCard { registration { id } }
    ... on RegistrationRejectedCard { registration { id } }
    ... on InvitationCard { invitation { id } }
    ... on LeaseEndingCard { daysLeft } } } } }
"""

RESIDENTS = """
query Residents($id: ID!) { residents(compound: $id, first: 50, filter: {name: "沈"}) {
  totalCount
  edges { node { id name phone populationKind tags hasAccount occupancies { capacity house { number } } } }
  pageInfo { hasNextPage endCursor } } }
"""

REGISTRATIONS = """
query Registrations($id: ID!) { registrations(compound: $id, first: 50, state: PENDING) {
  totalCount
  edges { node { id name phone place houseNumber submittedAt facts { owners nameMatches phoneMatches } house { id } } }
  pageInfo { hasNextPage endCursor } } }
"""

AUDIT_LOG = """
query AuditLog($id: ID!) { auditLog(compound: $id, first: 50) {
  edges { node { id at actorName action outcome subjectType details { name value } } }
  pageInfo { hasNextPage endCursor } } }
"""

ME = "query Me { viewer { me { id name phone permissions } } }"
COMPOUNDS = "query Compounds { compounds { id name } }"
BUILDINGS = "query Buildings($id: ID!) { compound(id: $id) { name buildings { id name builtYear } } }"

SIGN_IN_STAFF = """
mutation SignIn($input: SignInStaffInput!) { signInStaff(input: $input) {
  credentials { accessToken refreshToken } errors { code message } } }
"""

REQUEST_SMS_CODE = """
mutation RequestCode($input: RequestSmsCodeInput!) { requestSmsCode(input: $input) {
  resendAfterS errors { code message } } }
"""

SIGN_IN_WITH_SMS = """
mutation SignIn($input: SignInWithSmsInput!) { signInWithSms(input: $input) {
  credentials { accessToken refreshToken } errors { code message } } }
"""

SIGN_IN_WITH_WECHAT = """
mutation SignIn($input: SignInWithWeChatInput!) { signInWithWeChat(input: $input) {
  credentials { accessToken refreshToken } errors { code message } } }
"""

REFRESH = """
mutation Refresh($input: RefreshSessionInput!) { refreshSession(input: $input) {
  credentials { accessToken refreshToken } errors { code message } } }
"""

IMPORT = """
mutation Import($input: ImportHousesInput!) { importHouses(input: $input) {
  import { state errorCount errors { sheet row column message } } errors { code message } } }
"""
