using System.Globalization;

namespace Stoa.Assistants.Events;

/// <summary>What the assistant tells a user by mail or notification; kept for ever, told once.</summary>
internal sealed class EventRow
{
    public int Id { get; init; }

    public required string UserId { get; init; }

    /// <summary>One of <see cref="EventTypes"/>, or what the background service calls it.</summary>
    public required string EventType { get; init; }

    /// <summary>The wire's <c>message</c>, and for notifications its <c>data</c> beside.</summary>
    public required string Message { get; init; }

    public string? DedupKey { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; set; }
}

internal static class EventTypes
{
    public const string TodoEmail = "todo_daily_email", ReminderEmail = "reminder_email", DailyNotification = "daily_notification",
        CalendarNotification = "calendar_suggestion_notification", ToolNotification = "task_tool_execution_notification";

    public static bool IsNotification(string type) => type.Contains("notification", StringComparison.Ordinal);

    public static bool IsEmail(string type) => type.Contains("email", StringComparison.Ordinal);

    /// <summary>At most one for a user and a local day; null for what may come several times a day.</summary>
    public static string? KeyOf(string type, string userId, DateOnly localDate) => type is TodoEmail or ReminderEmail or DailyNotification
        ? string.Create(CultureInfo.InvariantCulture, $"{type}:{userId}:{localDate:yyyy-MM-dd}")
        : null;
}

/// <param name="Email">Null: the user's own.</param>
internal sealed record EmailMessage(string Subject, string Body, string? Email = null);

internal sealed record NotificationMessage(string Title, string Body, IReadOnlyDictionary<string, string> Data);
