using System.ComponentModel.DataAnnotations;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Platform.Notifications;

/// <summary>Section <c>Notifications</c>: what the operators are told, and where. What has no address is not told.</summary>
public sealed class NotificationOptions
{
    public const string Section = "Notifications";

    public SlackOptions Slack { get; set; } = new();

    public BugsnagOptions Bugsnag { get; set; } = new();

    public DiskAlertOptions DiskAlert { get; set; } = new();
}

/// <summary>Slack's incoming webhooks. Whoever knows one can write to its channel, so they are shown to nobody.</summary>
public sealed class SlackOptions
{
    [Url]
    public string? UserSignupWebhook { get; set; }

    [Url]
    public string? CourseCreatedWebhook { get; set; }

    [Url]
    public string? UsageStatsWebhook { get; set; }

    [Url]
    public string? AlertWebhook { get; set; }
}

/// <summary>Errors that nobody expected are reported to Bugsnag, or to whoever speaks like it.</summary>
public sealed class BugsnagOptions
{
    /// <summary>Without it nothing is reported.</summary>
    public string? ApiKey { get; set; }

    [Required, Url]
    public string Url { get; set; } = "https://notify.bugsnag.com/";

    /// <summary>Absent: the environment in lower case.</summary>
    public string? ReleaseStage { get; set; }
}

/// <summary>The alert about a disk that fills up.</summary>
public sealed class DiskAlertOptions
{
    /// <summary>Told when less is free where the data directory lies.</summary>
    [Range(1, 100_000)]
    public int FreeGb { get; set; } = 50;

    public CalendarTime At { get; set; } = new() { Cron = "55 23 * * *", Zone = "Asia/Kolkata" };
}
