using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Stoa.Platform.Jobs;

public static class JobServices
{
    /// <summary>
    /// Teaches the host a kind of job. The kind is the job's name in the database and never changes; a record with another shape is
    /// another kind.
    /// </summary>
    /// <param name="json">From the module's source-generated context.</param>
    public static IServiceCollection AddJob<TJob, THandler>(
        this IServiceCollection services, string kind, JsonTypeInfo<TJob> json, JobRules? rules = null)
        where TJob : class
        where THandler : class, IJobHandler<TJob>
    {
        services.TryAddScoped<THandler>();
        return services.AddSingleton<JobKind>(new JobKind<TJob, THandler>(kind, json, (rules ?? JobRules.Default).Checked(kind)));
    }

    /// <summary>The engine: every role can enqueue, look and act; workers also run.</summary>
    internal static IServiceCollection AddJobs(this IServiceCollection services, bool runs)
    {
        services.AddSettings<JobOptions>(JobOptions.Section);
        services.AddSingleton<IValidateOptions<JobOptions>, JobOptionsValidator>();
        services.AddSingleton<IValidateOptions<JobOptions>, JobLimitsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<JobKinds>();
        services.AddSingleton<JobWakeUps>();
        services.AddHostedService(provider => provider.GetRequiredService<JobWakeUps>());
        services.AddSingleton(provider => new JobQueue(
            provider.GetRequiredService<JobKinds>(), provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetRequiredService<JobWakeUps>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new JobStore(
            provider.GetRequiredService<NpgsqlDataSource>(), provider.GetRequiredService<JobKinds>()));
        services.AddSingleton(provider => new JobActs(
            provider.GetRequiredService<NpgsqlDataSource>(), provider.GetRequiredService<JobStore>(),
            provider.GetRequiredService<JobKinds>(), provider.GetRequiredService<JobQueue>(), provider.GetRequiredService<TimeProvider>()));
        if (runs)
        {
            services.AddSingleton<JobNode>();
            services.AddSingleton<OutcomeWriter>();
            services.AddSingleton<JobKeeper>();
            services.AddSingleton<JobRates>();
            services.AddSingleton<JobExecution>();
            services.AddHostedService<JobRunner>();
            services.AddHostedService<JobMaintenance>();
        }
        return services;
    }
}
