using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Egress;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Platform.Notifications;

internal static class NotificationServices
{
    private static readonly (string Variable, string Setting)[] Aliases =
    [
        ("SLACK_USER_SIGNUP_WEBHOOK_URL", "Slack:UserSignupWebhook"),
        ("SLACK_COURSE_CREATED_WEBHOOK_URL", "Slack:CourseCreatedWebhook"),
        ("SLACK_USAGE_STATS_WEBHOOK_URL", "Slack:UsageStatsWebhook"),
        ("SLACK_ALERT_WEBHOOK_URL", "Slack:AlertWebhook"),
        ("BUGSNAG_API_KEY", "Bugsnag:ApiKey"),
        ("SENTRY_ENVIRONMENT", "Bugsnag:ReleaseStage"),
    ];

    public static void AddNotifications(this WebApplicationBuilder builder)
    {
        foreach (var (variable, setting) in Aliases)
        {
            builder.AddAlias(variable, $"{NotificationOptions.Section}:{setting}");
        }
        var services = builder.Services;
        services.AddSettings<NotificationOptions>(NotificationOptions.Section);
        var options = Settings.Read<NotificationOptions>(builder.Configuration, NotificationOptions.Section);
        services.AddEgressClient(Slack.Client, egress => egress.Retries = 0);
        services.AddSingleton<Slack>();
        services.AddJob<CheckDisk, CheckDiskHandler>(
            CheckDisk.Kind, NotificationJson.Default.CheckDisk, new() { Priority = JobPriority.Low });
        services.AddSchedule(CheckDisk.Kind, new CheckDisk(), options.DiskAlert.At.Cron, options.DiskAlert.At.Zone);
        services.AddEgressClient(ReportErrorHandler.Client, egress => egress.Retries = 0);
        services.AddJob<ReportError, ReportErrorHandler>(ReportError.Kind, NotificationJson.Default.ReportError, ReportError.Rules);
        if (options.Bugsnag.ApiKey is { Length: > 0 })
        {
            services.AddSingleton<ErrorLog>();
            services.AddSingleton<ILoggerProvider>(provider => provider.GetRequiredService<ErrorLog>());
            services.AddHostedService<ErrorReports>();
        }
    }
}
