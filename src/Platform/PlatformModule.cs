using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Data;
using Stoa.Platform.Egress;
using Stoa.Platform.Hosting;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Api;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Platform.Limits;
using Stoa.Platform.Notifications;
using Stoa.Platform.Pages;
using Stoa.Platform.Privacy;
using Stoa.Platform.Storage;
using Stoa.Platform.Telemetry;
using Stoa.Platform.Webhooks;

namespace Stoa.Platform;

/// <summary>What every module stands on.</summary>
public static class PlatformModule
{
    /// <summary>Quiet defaults; <c>Logging__LogLevel__…</c> overrides them.</summary>
    private static readonly Dictionary<string, string?> LogLevels = new(StringComparer.Ordinal)
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        ["Logging:LogLevel:System.Net.Http"] = "Warning",
        ["Logging:LogLevel:Npgsql"] = "Warning",
        // Warns that the keys of cookies lie in clear text: they do, in the data directory, like all else there.
        ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
        // Errors about cookies that a stranger made up are no errors of ours.
        ["Logging:LogLevel:Microsoft.AspNetCore.Antiforgery"] = "Critical",
    };

    public static WebApplicationBuilder AddPlatform(this WebApplicationBuilder builder)
    {
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = LogLevels });
        var options = Settings.Read<StoaOptions>(builder.Configuration, StoaOptions.Section);
        var services = builder.Services;
        services.AddSettings<StoaOptions>(StoaOptions.Section);
        services.TryAddSingleton(TimeProvider.System);
        builder.AddTelemetry(options);
        Listeners.Add(builder, options);
        services.AddSingleton(provider =>
            new Drain(provider.GetRequiredService<TimeProvider>(), TimeSpan.FromSeconds(options.DrainSeconds)));
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.DrainSeconds));
        services.AddSingleton(provider => new ErrorDialects(provider.GetServices<PrefixDialect>(), PageErrors.Instance));
        services.AddErrorDialect("/api", ProblemErrors.Instance);
        // Malformed input becomes a Failure in the dialect of its route, in Production as in Development.
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        Cors.AddPolicies(services, options.CorsOrigins);
        services.AddForwarding(options);
        services.AddDatabase();
        services.AddMigrations("platform", typeof(PlatformModule).Assembly);
        services.AddIdentity();
        builder.AddForeignIdentity();
        services.AddPrivacy();
        services.AddJobs(runs: options.Role.HasFlag(ProcessRole.Worker));
        services.AddCalendars(runs: options.Role.HasFlag(ProcessRole.Worker));
        services.AddSystemSchedules();
        services.AddJobsApi();
        services.AddLimits();
        builder.AddStorage();
        builder.AddNotifications();
        services.AddEgress();
        services.AddWebhooks();
        OpenApiDocuments.Add(services);
        services.AddPageShell(options);
        services.AddHostedService<LifeCycle>();
        return builder;
    }

    public static WebApplication UsePlatform(this WebApplication app)
    {
        var problems = SettingsCheck.Problems(app.Services);
        if (Database.RuleBroken(app.Configuration) is { } rule)
        {
            problems.Add(new("ConnectionStrings:Stoa", rule, SettingSource.Of(app.Configuration, "ConnectionStrings:Stoa")));
        }
        SettingsCheck.Throw(problems);
        app.UseMiddleware<Edge>();
        if (Settings.Read<StoaOptions>(app.Configuration, StoaOptions.Section).KnownProxies.Count > 0)
        {
            app.UseForwardedHeaders();
        }
        app.UseRouting();
        app.UseMiddleware<Doorway>();
        app.UseCors();
        app.UsePageSessions();
        app.MapOperations();
        OpenApiDocuments.Map(app);
        app.MapIdentity();
        app.MapPrivacy();
        app.MapJobsApi();
        app.MapWebhookRoutes();
        return app;
    }

    private static void AddTelemetry(this WebApplicationBuilder builder, StoaOptions options)
    {
        var format = options.LogFormat ?? (builder.Environment.IsDevelopment() ? LogFormat.Text : LogFormat.Json);
        builder.Logging.ClearProviders();
        // What it calls an error is thrown as well, and told once: to the caller, or in the log where nobody expected it.
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Critical);
        if (!OtlpExport.IsWanted(builder.Configuration, "TRACES"))
        {
            // With a logger the server would create an activity and a log scope for each request.
            builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        }
        builder.Services.AddSingleton<ILoggerProvider>(provider => new LogWriter(format, provider.GetRequiredService<TimeProvider>(),
            options.LogFile is { Length: > 0 } file
                ? [Console.OpenStandardOutput(), new LogFile(file, options.LogFileMb * 1024L * 1024, options.LogFilesKept)]
                : [Console.OpenStandardOutput()]));
        builder.AddOtlpErrors();
        builder.Services.AddSingleton<OtlpExport>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<OtlpExport>());
        builder.Services.AddSingleton<MetricsText>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<MetricsText>());
    }

    /// <summary>Whoever may set these headers can pretend any address, so nobody may by default.</summary>
    private static void AddForwarding(this IServiceCollection services, StoaOptions options) =>
        services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            forwarded.ForwardLimit = null;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var proxy in options.KnownProxies)
            {
                if (IPAddress.TryParse(proxy, out var address))
                {
                    forwarded.KnownProxies.Add(address);
                }
                else
                {
                    forwarded.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(proxy));
                }
            }
        });
}
