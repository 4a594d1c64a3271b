using Quartz;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>What Quartz runs at a slot: it only says that a schedule may be due. Its class name is stored with each trigger.</summary>
internal sealed class WakeUp(ScheduleFiring firing, TimeProvider time) : Quartz.IJob
{
    public static IJobDetail Of(Schedule schedule) => JobBuilder.Create<WakeUp>().WithIdentity(schedule.Name).Build();

    public static ITrigger Trigger(Schedule schedule, TimeProvider time)
    {
        var trigger = TriggerBuilder.Create(time).WithIdentity(schedule.Name).ForJob(schedule.Name);
        var timetable = schedule.Timetable;
        if (timetable.Cron is { } cron)
        {
            return trigger.WithSchedule(CronScheduleBuilder.Create(cron, CronFormat.Unix).InTimeZone(timetable.Zone)
                .WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)).Build();
        }
        // This kind keeps to its slots after a misfire, where a simple interval would count anew from there.
        return trigger.StartAt(timetable.Next(time.GetUtcNow())!.Value)
            .WithSchedule(CalendarIntervalScheduleBuilder.Create()
                .WithInterval((int)timetable.Every!.Value.TotalSeconds, IntervalUnit.Second)
                .WithMisfireInstruction(CalendarIntervalTriggerMisfireInstruction.FireAndProceed)).Build();
    }

    /// <summary>Whether the stored trigger is the one that this schedule would get.</summary>
    public static bool Fits(ITrigger? trigger, Schedule schedule) => trigger switch
    {
        ICronTrigger cron => schedule.Timetable.Cron is { } text && cron.TimeZone.Id == schedule.Timetable.Zone.Id
            && cron.CronExpressionString == CronExpression.Parse(text, CronFormat.Unix).CronExpressionString,
        ICalendarIntervalTrigger interval => schedule.Timetable.Every == TimeSpan.FromSeconds(interval.RepeatInterval),
        _ => false,
    };

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        // Quartz may wake a moment early, and this clock may be behind that of the worker that set the trigger.
        var now = time.GetUtcNow();
        var slot = context.ScheduledFireTimeUtc ?? now;
        await firing.FireAsync(context.Trigger.Key.Name, slot > now ? slot : now, cancellationToken);
    }
}
