using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Stoa.Platform.Jobs.Calendars;

public static class CalendarServices
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>
    /// Enqueues <paramref name="job"/> at each time of <paramref name="cron"/> (five fields, as in crontab) in an IANA zone, once in
    /// the cluster. It is run by workers that declare it; when none has for a day, it is forgotten.
    /// </summary>
    /// <param name="name">Stable and unique: <c>platform.tidy_jobs</c>.</param>
    /// <param name="reach">With <see cref="MissedRuns.All"/>: how far back missed slots are made up for; a day unless given.</param>
    public static IServiceCollection AddSchedule<TJob>(
        this IServiceCollection services, string name, TJob job, string cron, string zone = "UTC",
        MissedRuns missed = MissedRuns.Once, Overlap overlap = Overlap.Skip, TimeSpan? reach = null)
        where TJob : class => services.AddSchedule(name, job, Timetable.ByCron(cron, zone), missed, overlap, reach);

    /// <summary>The same every so often: whole seconds of elapsed time, counted from 1970 in UTC.</summary>
    /// <inheritdoc cref="AddSchedule{TJob}(IServiceCollection, string, TJob, string, string, MissedRuns, Overlap, TimeSpan?)"/>
    public static IServiceCollection AddSchedule<TJob>(
        this IServiceCollection services, string name, TJob job, TimeSpan every,
        MissedRuns missed = MissedRuns.Once, Overlap overlap = Overlap.Skip, TimeSpan? reach = null)
        where TJob : class => services.AddSchedule(name, job, Timetable.ByInterval(every), missed, overlap, reach);

    private static IServiceCollection AddSchedule<TJob>(
        this IServiceCollection services, string name, TJob job, Timetable timetable, MissedRuns missed, Overlap overlap, TimeSpan? reach)
        where TJob : class
    {
        if (!IsName(name))
        {
            throw new ArgumentException($"'{name}' is no name of a schedule: a-z, 0-9, _, - and .", nameof(name));
        }
        if (missed is MissedRuns.All && overlap is not Overlap.Allow)
        {
            throw new ArgumentException("All missed runs come at the same time, so they must be allowed to overlap", nameof(overlap));
        }
        return services.AddSingleton(provider =>
        {
            var kind = provider.GetRequiredService<JobKinds>().Of(typeof(TJob));
            return new Schedule(name, kind.Name, kind.Write(job), timetable, missed, reach ?? Day, overlap);
        });
    }

    internal static IServiceCollection AddCalendars(this IServiceCollection services, bool runs)
    {
        services.AddSettings<CalendarOptions>(CalendarOptions.Section);
        services.AddSingleton<ScheduleStore>();
        services.AddSingleton<ScheduleFiring>();
        services.AddSingleton(provider => new ScheduleActs(
            provider.GetRequiredService<NpgsqlDataSource>(), provider.GetRequiredService<ScheduleFiring>(),
            provider.GetRequiredService<JobActs>(), provider.GetRequiredService<JobQueue>(), provider.GetRequiredService<TimeProvider>()));
        if (runs)
        {
            services.AddSingleton<DeclaredSchedules>();
            services.AddReadiness("schedules", "not written yet", provider => provider.GetRequiredService<DeclaredSchedules>().WhenWritten);
            services.AddHostedService<Calendar>();
        }
        return services;
    }

    // No regular expression: each start would build it.
    private static bool IsName(string name) => name.Length is >= 1 and <= 100 && char.IsAsciiLetterLower(name[0])
        && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '_' or '.' or '-');
}
