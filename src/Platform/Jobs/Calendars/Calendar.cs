using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>
/// The clock of the schedules on a worker: Quartz, clustered over our database, wakes one worker at each slot. What is due is decided
/// by <see cref="ScheduleFiring"/> alone, so a wake-up that comes twice, late or not at all changes nothing but the moment.
/// </summary>
internal sealed partial class Calendar(
    DeclaredSchedules declared,
    ScheduleStore store,
    ScheduleFiring firing,
    NpgsqlDataSource source,
    DatabaseReadiness database,
    Readiness readiness,
    IOptions<CalendarOptions> options,
    TimeProvider time,
    ILoggerFactory loggers,
    ILogger<Calendar> logger) : BackgroundService
{
    private const string Name = "stoa";

    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Wake-ups that never came, such as those of a firing that failed or those that went to a worker of another version, are made up
    /// for this often.
    /// </summary>
    private TimeSpan SweepEvery => TimeSpan.FromSeconds(options.Value.LateSeconds / 2.0);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(() => RunAsync(stoppingToken));

    private async Task RunAsync(CancellationToken ct)
    {
        await database.WhenReady(ct);
        await UntilDoneAsync(DeclareAsync, ct);
        await readiness.WhenReady(ct);
        await using var clock = Build();
        await UntilDoneAsync(token => StartAsync(clock, token), ct);
        using var timer = new PeriodicTimer(SweepEvery, time);
        do
        {
            await SweepAsync(ct);
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    private StandaloneSchedulerFactory Build() => QuartzSchedulerBuilder.Create(quartz =>
    {
        quartz.Services.AddSingleton(loggers);
        quartz.Services.AddSingleton(firing);
        quartz.UseTimeProvider(time);
        quartz.ConfigureScheduler(scheduler => scheduler.InstanceName = Name);
        quartz.UsePersistentStore(tables =>
        {
            tables.UsePostgres(database => database.DataSourceFactory = _ => source);
            tables.UseSystemTextJsonSerializer();
            tables.UseClustering(cluster =>
            {
                cluster.CheckinInterval = TimeSpan.FromSeconds(options.Value.CheckInSeconds);
                cluster.CheckinMisfireThreshold = cluster.CheckinInterval;
            });
            tables.ConfigureStore(rows =>
            {
                rows.TablePrefix = "calendars.";
                // A start that is interrupted may leave them behind; they must not keep the process alive.
                rows.UseBackgroundThreads = true;
                rows.MisfireThreshold = TimeSpan.FromSeconds(options.Value.LateSeconds);
                rows.StoreJobDataAsStrings = true;
            });
            // Creates what is missing and never alters; of several hosts that start at once, the slower ones find the tables made.
            tables.ProvisionSchema();
        });
    }).Build();

    private async Task DeclareAsync(CancellationToken ct)
    {
        await store.ReconcileAsync(declared.All, ct);
        declared.Written();
    }

    private async Task StartAsync(StandaloneSchedulerFactory clock, CancellationToken ct)
    {
        var scheduler = await clock.GetScheduler(ct);
        await PlanAsync(scheduler, ct);
        var known = await store.ListAsync(ct);
        var gone = (await scheduler.GetJobKeys(GroupMatcher<JobKey>.AnyGroup(), ct))
            .Where(key => !known.Any(row => row.Schedule.Name == key.Name));
        await scheduler.DeleteJobs([.. gone], ct);
        await scheduler.Start(ct);
        LogStarted(declared.All.Count);
    }

    /// <summary>Writes the clock's tables and the triggers of what is declared, and starts nothing: for the databases of tests.</summary>
    internal async Task PlanAsync(CancellationToken ct)
    {
        await using var clock = Build();
        await PlanAsync(await clock.GetScheduler(ct), ct);
    }

    /// <summary>All that is new or changed in one transaction: on a first start that is everything.</summary>
    private async Task PlanAsync(IScheduler scheduler, CancellationToken ct)
    {
        Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>> changed = [];
        // Asked for at once: one by one, each would cost a transaction.
        var stored = (await scheduler.GetTriggers([.. declared.All.Select(schedule => new TriggerKey(schedule.Name))], ct))
            .ToDictionary(trigger => trigger.Key.Name, StringComparer.Ordinal);
        foreach (var schedule in declared.All)
        {
            if (!WakeUp.Fits(stored.GetValueOrDefault(schedule.Name), schedule))
            {
                changed.Add(WakeUp.Of(schedule), [WakeUp.Trigger(schedule, time)]);
            }
        }
        if (changed.Count > 0)
        {
            await scheduler.ScheduleJobs(changed, new() { Replace = true }, ct);
        }
    }

    private async Task SweepAsync(CancellationToken ct)
    {
        try
        {
            await store.KeepAsync(declared.All, ct);
            foreach (var name in await firing.BehindAsync(ct))
            {
                await firing.FireAsync(name, time.GetUtcNow(), ct);
            }
        }
        catch (Exception error) when (!ct.IsCancellationRequested)
        {
            LogSweepFailed(error.Message);
        }
    }

    /// <summary>The database may go away again between the migration and the start.</summary>
    private async Task UntilDoneAsync(Func<CancellationToken, Task> step, CancellationToken ct)
    {
        for (var pause = ShortestPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await step(ct);
                return;
            }
            catch (Exception error) when (!ct.IsCancellationRequested)
            {
                LogNotStarted(error);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                // The scheduler tells of an interrupted start in words of its own.
                throw new OperationCanceledException("The host stops", error, ct);
            }
            await Task.Delay(pause, time, ct);
        }
    }

    [LoggerMessage(LogLevel.Information, "The calendar runs with {Count} schedules")]
    private partial void LogStarted(int count);

    [LoggerMessage(LogLevel.Warning, "The calendar could not start yet")]
    private partial void LogNotStarted(Exception error);

    [LoggerMessage(LogLevel.Warning, "Schedules could not be looked through: {Problem}")]
    private partial void LogSweepFailed(string problem);
}
