/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { Code as ErrorCode } from '@/api/failure';
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Which invitation to take up. */
export type AcceptInvitationInput =
  {   /** The code in the link. */
  code: string; invitation?: never; }
  |  { code?: never;   /** Its id from `viewer.invitations`. */
  invitation: string | number; };

/** What `my.getPhoneNumber` gave: its `response` and `sign`. */
export type AlipayPhoneInput = {
  /** The ciphertext, base64. */
  response: string;
  /** Alipay's signature over it, base64. */
  sign: string;
};

/** In which capacity somebody belongs to a house (与房屋关系). */
export type Capacity =
  /** 业主 */
  | 'OWNER'
  /** 家属 */
  | 'FAMILY'
  /** 租户 */
  | 'TENANT';

/** A decision on what a visitor asks for. */
export type DecideVisitorPassInput = {
  /** Its id. */
  visitorPass: string | number;
  /** Whether to let the visitor in. */
  approve: boolean;
  /** Why not, up to 200 characters, for the visitor to read; needed from a guard. */
  reason?: string;
};

/** An identity document (证件). */
export type DocumentInput = {
  /** What it is. */
  kind?: DocumentKind;
  /** Its number. */
  number: string;
};

/** Kind of identity document (证件类型). */
export type DocumentKind =
  /** 居民身份证 */
  | 'RESIDENT_ID'
  /** 护照 */
  | 'PASSPORT'
  /** 港澳居民来往内地通行证 */
  | 'HK_MACAO_PERMIT'
  /** 台湾居民来往大陆通行证 */
  | 'TAIWAN_PERMIT'
  /** 港澳台居民居住证 */
  | 'HMT_RESIDENCE_PERMIT'
  /** 外国人永久居留身份证 */
  | 'FOREIGNER_RESIDENCE_CARD'
  /** 户口簿 */
  | 'HOUSEHOLD_REGISTER'
  /** 其他 */
  | 'OTHER';

export { ErrorCode };

/** Language of messages (语言). */
export type LanguageChoice =
  /** 中文 */
  | 'ZH'
  /** English */
  | 'EN';

/** What was read. */
export type MarkReadInput =
  {   /** These, at most 100; what is not the caller's is passed over. */
  notifications: Array<string | number>; through?: never; }
  |  { notifications?: never;   /** This one and all that are not newer. */
  through: string | number; };

/** Part of the day in the compound, to greet by (问候时段). */
export type PartOfDay =
  /** 早上, 5–11 点 */
  | 'MORNING'
  /** 中午, 11–13 点 */
  | 'NOON'
  /** 下午, 13–18 点 */
  | 'AFTERNOON'
  /** 晚上, 18–5 点 */
  | 'EVENING';

/** A refresh token to spend. */
export type RefreshSessionInput = {
  /** The newest refresh token of the session. */
  refreshToken: string;
};

/** A registration to a house, which is typed as people write it. */
export type RegisterResidentInput = {
  /** The compound's code, scanned or typed. */
  compoundCode: string;
  /** For example 3号楼 or 3. */
  building?: string;
  /** For example 1单元 or 1; empty if there is none. */
  unit?: string;
  /** For example 101, or the whole number: 3-1-101. */
  room: string;
  /** The applicant's name. */
  name: string;
  /** As what. */
  capacity: Capacity;
  /** A document speeds up review. */
  document?: DocumentInput | null | undefined;
  /** Last day of the lease; for tenants, and needed from them. */
  leaseUntilOn?: string | null | undefined;
  /** Note to the reviewer, up to 200 characters. */
  note?: string;
};

/** How far a registration is (登记状态). */
export type RegistrationState =
  /** 待审核 */
  | 'PENDING'
  /** 已通过 */
  | 'APPROVED'
  /** 已驳回 */
  | 'REJECTED'
  /** 已撤回 */
  | 'WITHDRAWN';

/** Where to send a sign-in code. */
export type RequestSmsCodeInput = {
  /** Mobile number of the mainland, as people write it. */
  phone: string;
};

/** Sign-in by Alipay (支付宝登录). */
export type SignInWithAlipayInput = {
  /** What `my.getAuthCode` gave; good once. */
  authCode: string;
  /** Proves a number as well. */
  phone?: AlipayPhoneInput | null | undefined;
  /** What to call this device in the list of sessions. */
  device?: string;
};

/** Sign-in by a code that was sent (验证码登录). */
export type SignInWithSmsInput = {
  /** The number it was sent to. */
  phone: string;
  /** Six digits, good once, for five minutes and five tries. */
  code: string;
  /** What to call this device in the list of sessions. */
  device?: string;
};

/** Sign-in by WeChat (微信登录). */
export type SignInWithWeChatInput = {
  /** What `wx.login` gave; good once, for five minutes. */
  jsCode: string;
  /** What the phone number button gave (手机号快速验证); proves the number as well. */
  phoneCode?: string | null | undefined;
  /** What to call this device in the list of sessions. */
  device?: string;
};

/** What to change of the caller's own profile; what is left out stays. */
export type UpdateProfileInput = {
  /** Name, 2 to 50 characters; residents only. */
  name?: string | null | undefined;
  /** Language of messages. */
  language?: LanguageChoice | null | undefined;
};

/** How far a notice may intrude (紧急程度). */
export type Urgency =
  /** 不急,汇总后告知 */
  | 'LOW'
  /** 一般,避开免打扰时段 */
  | 'NORMAL'
  /** 重要,不受免打扰限制 */
  | 'HIGH'
  /** 紧急,通过所有渠道立即告知 */
  | 'URGENT';

/** What a visitor comes for (来访事由). New values may appear: keep a default branch. */
export type VisitPurpose =
  /** 探访亲友 */
  | 'VISIT'
  /** 快递外卖 */
  | 'DELIVERY'
  /** 上门服务 */
  | 'SERVICE'
  /** 维修施工 */
  | 'REPAIR'
  /** 搬家 */
  | 'MOVING'
  /** 看房 */
  | 'VIEWING'
  /** 护理保健 */
  | 'CARE'
  /** 其他 */
  | 'OTHER';

/** How far a pass is (通行证状态). New values may appear: keep a default branch. */
export type VisitorPassState =
  /** 待确认 */
  | 'REQUESTED'
  /** 有效 */
  | 'ACTIVE'
  /** 次数已用完 */
  | 'USED_UP'
  /** 已过期 */
  | 'EXPIRED'
  /** 已吊销 */
  | 'REVOKED'
  /** 已拒绝 */
  | 'REJECTED';

/** The registration to take back. */
export type WithdrawRegistrationInput = {
  /** Its id. */
  registration: string | number;
};

export type AccountQueryVariables = Exact<{ [key: string]: never; }>;


export type AccountQuery = { viewer: { me: { id: string, name: string, phone: string | null, language: LanguageChoice }, houses: Array<{ occupancyId: string, capacity: Capacity, leaseUntilOn: string | null, house: { id: string, number: string }, compound: { id: string, name: string, servicePhone: string } }> } | null };

export type UpdateLanguageMutationVariables = Exact<{
  input: UpdateProfileInput;
}>;


export type UpdateLanguageMutation = { updateProfile: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type HomeQueryVariables = Exact<{ [key: string]: never; }>;


export type HomeQuery = { viewer: { eventCursor: string, home: { greeting: { name: string, partOfDay: PartOfDay, today: string }, houses: Array<{ occupancyId: string, capacity: Capacity, house: { id: string, number: string }, compound: { id: string, name: string, servicePhone: string } }>, cards: Array<
        | { __typename: 'BillsDueCard', count: number, totalFen: number, dueOn: string, key: string }
        | { __typename: 'InvitationCard', key: string, invitation: { id: string, houseNumber: string, compoundName: string, inviterName: string, capacity: Capacity, expiresAt: string } }
        | { __typename: 'LeaseEndingCard', daysLeft: number, key: string, house: { leaseUntilOn: string | null, house: { id: string, number: string } } }
        | { __typename: 'RegisterHouseCard', key: string }
        | { __typename: 'RegistrationPendingCard', key: string, registration: { id: string, place: string, compoundName: string, submittedAt: string } }
        | { __typename: 'RegistrationRejectedCard', key: string, registration: { id: string, place: string, compoundName: string, reason: string | null } }
        | { __typename: 'VisitExpectedCard', key: string, visitorPass: { id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null } }
        | { __typename: 'VisitRequestedCard', key: string, visitorPass: { id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null } }
      > } | null, inbox: { unreadCount: number, nodes: Array<{ id: string, title: string, body: string, createdAt: string, urgency: Urgency, link: string }> } } | null };

export type HomeVisitFragment = { id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null };

export type DecideVisitMutationVariables = Exact<{
  input: DecideVisitorPassInput;
}>;


export type DecideVisitMutation = { decideVisitorPass: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, visitorPass: { id: string, state: VisitorPassState } | null } };

export type InboxQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type InboxQuery = { viewer: { inbox: { unreadCount: number, nodes: Array<{ id: string, label: string, title: string, body: string, urgency: Urgency, link: string, createdAt: string, readAt: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null };

export type MarkReadMutationVariables = Exact<{
  input: MarkReadInput;
}>;


export type MarkReadMutation = { markRead: { unreadCount: number | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type InvitationsQueryVariables = Exact<{ [key: string]: never; }>;


export type InvitationsQuery = { viewer: { invitations: Array<{ id: string, compoundName: string, houseNumber: string, inviterName: string, name: string, capacity: Capacity, leaseUntilOn: string | null, createdAt: string, expiresAt: string }> } | null };

export type AcceptInvitationMutationVariables = Exact<{
  input: AcceptInvitationInput;
}>;


export type AcceptInvitationMutation = { acceptInvitation: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, occupancy: { id: string } | null } };

export type ViewerEventsSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type ViewerEventsSubscription = { viewerEvents: { cursor: string, name: string, subject: string | null } };

export type EventCursorQueryVariables = Exact<{ [key: string]: never; }>;


export type EventCursorQuery = { viewer: { eventCursor: string } | null };

export type CompoundByCodeQueryVariables = Exact<{
  code: string;
}>;


export type CompoundByCodeQuery = { compoundByCode: { name: string, address: string, servicePhone: string, code: string, buildings: Array<{ name: string, units: Array<string> }> } | null };

export type RegisterResidentMutationVariables = Exact<{
  input: RegisterResidentInput;
}>;


export type RegisterResidentMutation = { registerResident: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, registration: { id: string, state: RegistrationState, place: string, compoundName: string } | null } };

export type RegistrationsQueryVariables = Exact<{ [key: string]: never; }>;


export type RegistrationsQuery = { viewer: { registrations: Array<{ id: string, compoundName: string, place: string, name: string, capacity: Capacity, state: RegistrationState, submittedAt: string, reviewedAt: string | null, reason: string | null }> } | null };

export type WithdrawRegistrationMutationVariables = Exact<{
  input: WithdrawRegistrationInput;
}>;


export type WithdrawRegistrationMutation = { withdrawRegistration: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, registration: { id: string, state: RegistrationState } | null } };

export type RequestSmsCodeMutationVariables = Exact<{
  input: RequestSmsCodeInput;
}>;


export type RequestSmsCodeMutation = { requestSmsCode: { resendAfterS: number | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type SignInWithSmsMutationVariables = Exact<{
  input: SignInWithSmsInput;
}>;


export type SignInWithSmsMutation = { signInWithSms: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null } };

export type SignInWithWeChatMutationVariables = Exact<{
  input: SignInWithWeChatInput;
}>;


export type SignInWithWeChatMutation = { signInWithWeChat: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null } };

export type SignInWithAlipayMutationVariables = Exact<{
  input: SignInWithAlipayInput;
}>;


export type SignInWithAlipayMutation = { signInWithAlipay: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null } };

export type RefreshSessionMutationVariables = Exact<{
  input: RefreshSessionInput;
}>;


export type RefreshSessionMutation = { refreshSession: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null } };

export type SignOutMutationVariables = Exact<{ [key: string]: never; }>;


export type SignOutMutation = { signOut: { isSignedOut: boolean, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type SignedInFragment = { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const HomeVisitFragmentDoc = new TypedDocumentString(`
    fragment HomeVisit on VisitorPass {
  id
  state
  guestName
  houseNumber
  companions
  purpose
  plate
  isCarRefused
  startsAt
  endsAt
  requestedAt
  insideSince
}
    `, {"fragmentName":"HomeVisit"}) as unknown as TypedDocumentString<HomeVisitFragment, unknown>;
export const SignedInFragmentDoc = new TypedDocumentString(`
    fragment SignedIn on SignInPayload {
  errors {
    code
    message
    field
  }
  credentials {
    accessToken
    accessExpiresAt
    refreshToken
  }
}
    `, {"fragmentName":"SignedIn"}) as unknown as TypedDocumentString<SignedInFragment, unknown>;
export const AccountDocument = {"__meta__":{"hash":"sha256:4d03806188a0872e28add29d512c85044de43b3ddd26536707189f98b82a5c71"}} as unknown as TypedDocumentString<AccountQuery, AccountQueryVariables>;
export const UpdateLanguageDocument = {"__meta__":{"hash":"sha256:eba36041386d6b8592e4d7ba8de98d7b346d3b1ad26b6b03f49e84b653fcc039"}} as unknown as TypedDocumentString<UpdateLanguageMutation, UpdateLanguageMutationVariables>;
export const HomeDocument = {"__meta__":{"hash":"sha256:14c14f48d250905c6243d66e3901b20ba1975165e0e1c2ff847beb5b1e88f2f8"}} as unknown as TypedDocumentString<HomeQuery, HomeQueryVariables>;
export const DecideVisitDocument = {"__meta__":{"hash":"sha256:867ff4eb6929954839759ea308e6faab54e21553a3f0f90caa89f78ecedc03dd"}} as unknown as TypedDocumentString<DecideVisitMutation, DecideVisitMutationVariables>;
export const InboxDocument = {"__meta__":{"hash":"sha256:c1d8c6bd6a2b8dea71752fdbffad147397efc5c44252a66bd130b7f1533bcb2f"}} as unknown as TypedDocumentString<InboxQuery, InboxQueryVariables>;
export const MarkReadDocument = {"__meta__":{"hash":"sha256:75c1527961510e7c5e952e94b10fc1f40570e010e8d35031ea1c1cf02da50979"}} as unknown as TypedDocumentString<MarkReadMutation, MarkReadMutationVariables>;
export const InvitationsDocument = {"__meta__":{"hash":"sha256:77a65732a02a95e0e656b373b51eb39ebe83e9089c39b9c0a75d2ce0a032e68e"}} as unknown as TypedDocumentString<InvitationsQuery, InvitationsQueryVariables>;
export const AcceptInvitationDocument = {"__meta__":{"hash":"sha256:e455b5edb7124c7f63bce6a6e3c6194e87395da975e1f9a3499b9bc7d3dca64b"}} as unknown as TypedDocumentString<AcceptInvitationMutation, AcceptInvitationMutationVariables>;
export const ViewerEventsDocument = {"__meta__":{"hash":"sha256:c6f5b8bd6d524f7f7d8b72b5061c9d1703dc321bb91911be574532cd573466f2"}} as unknown as TypedDocumentString<ViewerEventsSubscription, ViewerEventsSubscriptionVariables>;
export const EventCursorDocument = {"__meta__":{"hash":"sha256:7e5d2f388c45fd933b1a660ee35ef9153e7ea1c9c56bbd19891b02462675f386"}} as unknown as TypedDocumentString<EventCursorQuery, EventCursorQueryVariables>;
export const CompoundByCodeDocument = {"__meta__":{"hash":"sha256:db4772c019f9534ddffa0b20c40ebf86e8893ef7579d176a87e3e7bb7295d594"}} as unknown as TypedDocumentString<CompoundByCodeQuery, CompoundByCodeQueryVariables>;
export const RegisterResidentDocument = {"__meta__":{"hash":"sha256:b6e04d027397f801e79db52f74af4f895c644b5048b6c551a8d58655addd11dd"}} as unknown as TypedDocumentString<RegisterResidentMutation, RegisterResidentMutationVariables>;
export const RegistrationsDocument = {"__meta__":{"hash":"sha256:aff70fe87785d202d9ac478286753e3fabd48efedf9c27c20f93c5cb44f31748"}} as unknown as TypedDocumentString<RegistrationsQuery, RegistrationsQueryVariables>;
export const WithdrawRegistrationDocument = {"__meta__":{"hash":"sha256:9342fa6f92c956cae9569141b405a64b55890d2aa1d32efe3e9bd9cdb9b96e1b"}} as unknown as TypedDocumentString<WithdrawRegistrationMutation, WithdrawRegistrationMutationVariables>;
export const RequestSmsCodeDocument = {"__meta__":{"hash":"sha256:67f1eaaab0777fab8b735f5145af28f6ac9e44b8b9be8ab50d47737e4888a988"}} as unknown as TypedDocumentString<RequestSmsCodeMutation, RequestSmsCodeMutationVariables>;
export const SignInWithSmsDocument = {"__meta__":{"hash":"sha256:0546863bb7d4e35f216996c4dee0c013531f19ec34dcd8b886d672568b0a49c2"}} as unknown as TypedDocumentString<SignInWithSmsMutation, SignInWithSmsMutationVariables>;
export const SignInWithWeChatDocument = {"__meta__":{"hash":"sha256:25271915fb5ccf30a40f8ab0e0aaa6a130df106ff842d3c87e79c2d3fe96d9b8"}} as unknown as TypedDocumentString<SignInWithWeChatMutation, SignInWithWeChatMutationVariables>;
export const SignInWithAlipayDocument = {"__meta__":{"hash":"sha256:9ae783466ccff852e30c71811cdc54a2388a8ca7e8adaf4357032c1322dbfaf8"}} as unknown as TypedDocumentString<SignInWithAlipayMutation, SignInWithAlipayMutationVariables>;
export const RefreshSessionDocument = {"__meta__":{"hash":"sha256:7efe85903d9f0de9c39a7d769fd7e717ea8ce0d8579befca5fedec32bdaa975c"}} as unknown as TypedDocumentString<RefreshSessionMutation, RefreshSessionMutationVariables>;
export const SignOutDocument = {"__meta__":{"hash":"sha256:0cdc0ee508080f1c578f8b1d4a96f1f3e96248357666627e65ea9c93dc309f0e"}} as unknown as TypedDocumentString<SignOutMutation, SignOutMutationVariables>;