using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

/// <summary>
/// One worker's calendar, without the worker: the jobs that its schedules add stay where they are. Its clock is the test's.
/// </summary>
internal sealed class CalendarNode : IAsyncDisposable
{
    private readonly ServiceProvider services;
    private readonly Calendar calendar;

    private CalendarNode(ServiceProvider services)
    {
        this.services = services;
        calendar = services.GetServices<IHostedService>().OfType<Calendar>().Single();
    }

    public ScheduleFiring Firing => services.GetRequiredService<ScheduleFiring>();

    public ScheduleStore Store => services.GetRequiredService<ScheduleStore>();

    public ScheduleActs Acts => services.GetRequiredService<ScheduleActs>();

    /// <summary>Declares the schedules as a module does; nothing runs before <see cref="StartAsync"/>.</summary>
    public static CalendarNode Of(NpgsqlDataSource source, FakeClock clock, Action<IServiceCollection> declare)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton(source);
        services.AddSingleton<TimeProvider>(clock);
        var readiness = new DatabaseReadiness();
        readiness.Migrated();
        services.AddSingleton(readiness);
        services.AddSingleton<Readiness>();
        services.AddSingleton(new Script());
        services.AddJob<Step, StepHandler>("test.step", JobsTestJson.Default.Step);
        services.AddJobs(runs: false);
        services.AddCalendars(runs: true);
        declare(services);
        return new(services.BuildServiceProvider());
    }

    /// <summary>Writes the declarations without a clock, for tests that say themselves when a slot has come.</summary>
    public async Task<CalendarNode> DeclareAsync()
    {
        await Store.ReconcileAsync([.. services.GetServices<Schedule>()], TestContext.Current.CancellationToken);
        return this;
    }

    public Task StartAsync() => calendar.StartAsync(TestContext.Current.CancellationToken);

    public Task StopAsync() => calendar.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await services.DisposeAsync();
    }
}
