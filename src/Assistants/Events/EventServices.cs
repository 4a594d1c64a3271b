using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Mail;
using Stoa.Assistants.Purchases;
using Stoa.Assistants.Push;
using Stoa.Platform;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Assistants.Events;

/// <summary>What users are told, by mail and notification, when their hour comes.</summary>
internal static class EventServices
{
    private static readonly (string Variable, string Setting)[] Aliases =
    [
        ("DAILY_TODO_EMAIL_TIME", "TodoEmailHour"), ("DAILY_NOTIF_TIME", "NotificationHour"), ("DAILY_EMAIL_TIME", "ReminderHour"),
    ];

    public static void AddEvents(this WebApplicationBuilder builder)
    {
        foreach (var (variable, setting) in Aliases)
        {
            builder.AddAlias(variable, $"{EventsOptions.Section}:{setting}");
        }
        builder.AddMail();
        builder.AddPush();
        var services = builder.Services;
        services.AddJson(EventsJson.Default);
        services.AddSettings<EventsOptions>(EventsOptions.Section);
        services.AddSingleton<IValidateOptions<EventsOptions>, EventsOptionsValidator>();
        services.AddScoped<EventUsers>();
        services.AddScoped<EventOutbox>();
        services.AddScoped<EventParts>();
        services.AddScoped<EventLaunches>();
        services.AddScoped<TodoListStore>();
        services.AddScoped<Reminders>();
        services.AddScoped<Candidates>();
        services.AddScoped<CalendarReminders>();
        services.AddScoped<PurchaseChecks>();
        services.AddScoped<GivenEvents>();
        services.AddScoped<GivenMessages>();
        services.AddScoped<Unsubscribing>();
        services.AddJobs(Settings.Read<EventsOptions>(builder.Configuration, EventsOptions.Section));
    }

    public static void MapEventRoutes(this IEndpointRouteBuilder surface)
    {
        surface.MapScheduledEvents();
        surface.MapEvents();
        surface.MapDevices();
        surface.MapNotificationSettings();
        surface.MapUnsubscribe();
    }

    private static void AddJobs(this IServiceCollection services, EventsOptions options)
    {
        var json = EventsJson.Default;
        services.AddJob<WriteTodoEmail, TodoEmailCortex>(WriteTodoEmail.Kind, json.WriteTodoEmail, EventJobs.Rules);
        services.AddJob<WriteReminderEmail, ReminderEmailCortex>(WriteReminderEmail.Kind, json.WriteReminderEmail, EventJobs.Rules);
        services.AddJob<WriteDailyNotification, DailyNotificationCortex>(
            WriteDailyNotification.Kind, json.WriteDailyNotification, EventJobs.Rules);
        services.AddJob<WriteCalendarNotification, CalendarNotificationCortex>(
            WriteCalendarNotification.Kind, json.WriteCalendarNotification, EventJobs.Rules);
        services.AddJob<DeliverEvent, DeliverEventHandler>(DeliverEvent.Kind, json.DeliverEvent, DeliverEvent.Rules);
        services.AddJob<RunLocalHours, RunLocalHoursHandler>(RunLocalHours.Kind, json.RunLocalHours, RunLocalHours.Rules);
        services.AddJob<CheckPurchases, CheckPurchasesHandler>(
            CheckPurchases.Kind, json.CheckPurchases, ScheduleRules.Default with { Priority = JobPriority.Low });
        if (options.IsScheduled)
        {
            services.AddSchedule(RunLocalHours.Kind, new RunLocalHours(), RunLocalHours.EachMinute);
            services.AddSchedule(CheckPurchases.Kind, new CheckPurchases(TellsOfTrials: false), "10 * * * *");
            services.AddSchedule(CheckPurchases.Trials, new CheckPurchases(TellsOfTrials: true), "20 6 * * *");
        }
    }
}
