using Stoa.Platform.Http;

namespace Stoa.Tests.Authorization;

/// <summary>
/// Routes of Mojodex's wire about what users are told; as with <see cref="ThinkingRows"/> nobody of the matrix may call them.
/// </summary>
internal static class EventRows
{
    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
        ["POST /background/events_generation"] = new("mojodex_background", Body: "{}") { Stranger = 404 },
        ["POST /assistants/todo_daily_emails"] = Closed("mojodex_service"),
        ["POST /assistants/send_daily_notifications"] = Closed("mojodex_service"),
        ["POST /assistants/send_daily_emails"] = Closed("mojodex_service"),
        ["POST /assistants/calendar_suggestion_notifications"] = Closed("mojodex_service"),
        ["POST /assistants/check_disengaged_free_trial_users"] = Closed("mojodex_service"),
        ["POST /assistants/check_expired_purchases"] = Closed("mojodex_service"),
        ["GET /assistants/is_push_notif_service_configured"] = Closed("mojodex_service"),
        ["GET /assistants/is_email_service_configured"] = Closed("mojodex_service"),
        ["PUT /assistants/event"] = Closed("mojodex_service"),
        ["PUT /assistants/device"] = Closed("mojodex_user"),
        ["GET /assistants/notification_settings"] = Closed("mojodex_user"),
        ["PUT /assistants/notification_settings"] = Closed("mojodex_user"),
        // Whoever holds the link is right; without one it is nobody's.
        ["GET /assistants/unsubscribe"] = new(AccessRule.Anyone) { Answers = [400] },
        ["POST /assistants/unsubscribe"] = new(AccessRule.Anyone) { Answers = [400] },
    };

    private static MatrixRow Closed(string rule) => new(rule, Body: "{}") { Stranger = 403 };
}
