using Stoa.Platform.Http;

namespace Stoa.Feedback;

/// <summary>
/// Open-Assistant's error numbers (<c>error_code</c>). Two numbers of the original have two names each; here they have one.
/// </summary>
internal enum FeedbackCode
{
    Generic = 0,
    ApiClientNotAuthorized = 2,
    RootTokenNotAuthorized = 3,
    DatabaseMaxRetriesExhausted = 4,
    SortKeyUnsupported = 100,
    InvalidCursorValue = 101,
    TooManyRequests = 429,
    ServerError0 = 500,
    ServerError1 = 501,
    InvalidAuthentication = 600,
    TaskInvalidRequestType = 1000,
    TaskAckFailed = 1001,
    TaskNackFailed = 1002,
    TaskInvalidResponseType = 1003,
    TaskInteractionRequestFailed = 1004,
    TaskGenerationFailed = 1005,
    TaskRequestedTypeNotAvailable = 1006,
    TaskAvailabilityQueryFailed = 1007,
    TaskMessageTooLong = 1008,
    TaskMessageDuplicated = 1009,
    TaskMessageTextEmpty = 1010,
    TaskMessageDuplicateReply = 1011,
    TaskTooManyPending = 1012,
    InvalidFrontendMessageId = 2000,
    MessageNotFound = 2001,
    RatingOutOfRange = 2002,
    InvalidRankingValue = 2003,
    InvalidTaskType = 2004,
    NoMessageTreeFound = 2006,
    NoRepliesFound = 2007,
    InvalidMessage = 2008,
    BrokenConversation = 2009,
    TreeInAbortedState = 2010,
    CorruptRankingResult = 2011,
    AuthAndUsernameRequired = 2012,
    TextLabelsWrongMessageId = 2050,
    TextLabelsInvalidLabel = 2051,
    TextLabelsMandatoryLabelMissing = 2052,
    /// <summary>Of one's own message, or a second time by a task.</summary>
    TextLabelsNoSelfLabeling = 2053,
    TaskNotFound = 2100,
    TaskExpired = 2101,
    TaskPayloadTypeMismatch = 2102,
    TaskAlreadyUpdated = 2103,
    TaskNotAcknowledged = 2104,
    TaskAlreadyDone = 2105,
    /// <summary>Or: not a collective task.</summary>
    TaskNotAssignedToUser = 2106,
    TaskUnexpectedPayloadType = 2107,
    HuggingFaceApiError = 3001,
    UserNotSpecified = 4000,
    UserDisabled = 4001,
    UserNotFound = 4002,
    UserHasNotAcceptedTos = 4003,
    EmojiOpUnsupported = 5000,
    CachedStatsNotAvailable = 6000,
}

/// <summary>A refusal with a number: <c>throw FeedbackCode.MessageNotFound.Refusal("Message not found")</c>.</summary>
internal static class FeedbackFailures
{
    private const string Prefix = "feedback_";

    extension(FeedbackCode code)
    {
        /// <param name="kind">Where the number's usual status is not the one.</param>
        public Failure Refusal(string message, FailureKind? kind = null) => new(kind ?? KindOf(code), $"{Prefix}{(int)code}", message);
    }

    /// <summary>The number that the failure carries.</summary>
    public static int? NumberOf(Failure failure) => failure.Code switch
    {
        OasstErrors.ApiClientNotAuthorized => (int)FeedbackCode.ApiClientNotAuthorized,
        OasstErrors.RootTokenNotAuthorized => (int)FeedbackCode.RootTokenNotAuthorized,
        "rate_limit_exceeded" => (int)FeedbackCode.TooManyRequests,
        _ when failure.Code.StartsWith(Prefix, StringComparison.Ordinal) => int.Parse(failure.Code.AsSpan(Prefix.Length), provider: null),
        _ => null,
    };

    private static FailureKind KindOf(FeedbackCode code) => code switch
    {
        FeedbackCode.ApiClientNotAuthorized or FeedbackCode.RootTokenNotAuthorized or FeedbackCode.UserHasNotAcceptedTos =>
            FailureKind.Forbidden,
        FeedbackCode.TaskRequestedTypeNotAvailable or FeedbackCode.UserDisabled or FeedbackCode.DatabaseMaxRetriesExhausted =>
            FailureKind.Unavailable,
        FeedbackCode.MessageNotFound or FeedbackCode.UserNotFound => FailureKind.NotFound,
        FeedbackCode.InvalidAuthentication => FailureKind.Unauthenticated,
        FeedbackCode.TooManyRequests => FailureKind.TooMany,
        FeedbackCode.ServerError0 or FeedbackCode.ServerError1 or FeedbackCode.InvalidMessage or FeedbackCode.BrokenConversation =>
            FailureKind.Internal,
        _ => FailureKind.Invalid,
    };
}
