using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Alerts;
using Stoa.Gateway.Runs;
using Stoa.Platform;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Gateway.Delivery;

internal static class DeliveryServices
{
    /// <summary>Answers that come later: the queue of runs, webhooks, and channels that clients listen to.</summary>
    public static void AddDelivery(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        builder.AddAlias("QUEUE_CONNECTIONURL", "Gateway:Queue:Url");
        builder.AddAlias("QUEUE_NAME", "Gateway:Queue:Name");
        builder.AddAlias("PREFETCH_COUNT", "Gateway:Queue:Prefetch");
        builder.AddAlias("CONSUMER_STATUS", "Gateway:Queue:Consumes");
        builder.AddAlias("RTLAYER_AUTH", "Gateway:Push:ApiKey");

        services.AddSingleton<RunDelivery>();
        services.AddSingleton<RunSecrets>();
        services.AddSingleton<RunLeases>();
        services.AddSingleton<RunQueue>();
        services.AddSingleton<QueuedRuns>();
        services.AddSingleton<PushPublisher>();
        services.AddSingleton<EditorPushes>();
        services.AddSingleton<PushHub>();
        services.AddHostedService(provider => provider.GetRequiredService<PushHub>());
        services.AddSingleton<PushStreams>();
        services.AddSingleton<AlertRules>();
        services.AddHostedService(provider => provider.GetRequiredService<AlertRules>());
        services.AddSingleton<AlertSender>();
        services.AddSingleton<IRunFollower, AlertJobs>();
        services.AddJob<TellAlerts, TellAlertsHandler>(TellAlerts.Kind, DeliveryJson.Default.TellAlerts);
        services.AddScoped<IRunHandler, AgentRunHandler>();
        builder.AddTransport();
        // What waits in the database when a broker is set up later is run all the same.
        services.AddJob<RunQueued, RunQueuedHandler>(RunQueued.Kind, DeliveryJson.Default.RunQueued, RunQueued.Rules);
        services.AddJob<SendPush, SendPushHandler>(SendPush.Kind, DeliveryJson.Default.SendPush, SendPush.Rules);
        services.AddJob<ForgetDelivery, ForgetDeliveryHandler>(
            ForgetDelivery.Kind, DeliveryJson.Default.ForgetDelivery, new() { Priority = JobPriority.Low, MaxAttempts = 1 });
        services.AddSchedule(ForgetDelivery.Kind, new ForgetDelivery(), TimeSpan.FromMinutes(10), MissedRuns.Skip);
        services.AddEgressClient(SendPushHandler.Client, egress => egress.Retries = 0);
        services.AddJson(DeliveryJson.Default);
    }

    private static void AddTransport(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        if (string.IsNullOrEmpty(builder.Configuration["Gateway:Queue:Url"]))
        {
            services.AddSingleton<IRunTransport, JobTransport>();
            return;
        }
        services.AddSingleton<BrokerQueues>();
        services.AddSingleton<Broker>();
        services.AddSingleton<IRunTransport, BrokerTransport>();
        var role = builder.Configuration.GetValue($"{StoaOptions.Section}:{nameof(StoaOptions.Role)}", ProcessRole.All);
        if (role.HasFlag(ProcessRole.Worker) && builder.Configuration.GetValue("Gateway:Queue:Consumes", defaultValue: true))
        {
            services.AddHostedService<BrokerConsumer>();
        }
    }
}
