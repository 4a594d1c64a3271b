namespace Stoa.Tests.Assistants.Todos;

/// <summary>New days for what was not done in time.</summary>
public sealed class ReschedulingTests
{
    private static readonly string[] Said =
    [
        "Write the minutes of my meeting with Bob of Initech, please.", "Who said what?",
        "Bob will order the printers. I will send him the offer tomorrow, and I call Carol by Friday next week.", "Here they are.",
    ];

    [Fact]
    public async Task An_outage_at_one_in_the_morning_loses_nothing_and_a_weekend_passes()
    {
        // A Saturday in Kiritimati, and then its Monday at seven.
        await using var thinking = await ThinkingSite.StartAsync("2027-10-30T05:00:00Z");
        var site = thinking.Site;
        var user = await site.UserAsync("East", "Pacific/Kiritimati");
        var execution = await site.ExecutionAsync(user, Said, produced: "Minutes", quietFor: TimeSpan.FromDays(3));
        thinking.Provider.EnqueueFor(ThinkingSite.Model, ThinkingSite.Todos(("Call", "yes", "2027-10-30")));
        await site.RunScheduleAsync("assistants.select_quiet_executions");
        Assert.Equal("2027-10-30 Call", await thinking.TodosOfAsync(execution));

        thinking.Clock.Set(ThinkingSite.At("2027-10-31T05:00:00Z"));
        await site.RunScheduleAsync("assistants.select_overdue_todos");
        Assert.Equal("2027-10-30 Call", await thinking.TodosOfAsync(execution));

        thinking.Clock.Set(ThinkingSite.At("2027-10-31T17:00:00Z"));
        thinking.Provider.EnqueueFor(ThinkingSite.Model, ThinkingSite.Decision("It waited long enough", "2027-11-02"));
        await site.RunScheduleAsync("assistants.select_overdue_todos");
        await site.RunScheduleAsync("assistants.select_overdue_todos");
        Assert.Equal("2027-11-02 Call", await thinking.TodosOfAsync(execution));
        Assert.Equal(2, await site.ValueAsync<long>("select count(*) from assistants.todo_schedulings"));
    }

    [Fact]
    public async Task A_todo_that_was_moved_too_often_is_proposed_for_deletion_and_a_day_that_cannot_be_is_repaired_once()
    {
        await using var thinking = await ThinkingSite.StartAsync("2027-11-01T01:10:00Z", ("Assistants:Todos:MaxReschedules", "2"));
        var site = thinking.Site;
        var user = await site.UserAsync("Utc", "UTC");
        var execution = await site.ExecutionAsync(user, Said, produced: "Minutes");
        await site.OkAsync(AssistantsSite.Background, HttpMethod.Put, "//todos", new()
        {
            ["description"] = "Call", ["due_date"] = "2027-11-01", ["user_task_execution_fk"] = execution.Execution,
        });

        // Past, then still past: the next weekday. Then a good one. Then no model is asked any more.
        thinking.Clock.Set(ThinkingSite.At("2027-11-05T01:10:00Z"));
        thinking.Provider.EnqueueFor(
            ThinkingSite.Model, ThinkingSite.Decision("Soon", "2027-11-05"), ThinkingSite.Decision("Well", "2020-01-01"));
        Assert.Equal([1], await RescheduleAsync(thinking));
        Assert.Equal("2027-11-08 Call", await thinking.TodosOfAsync(execution));
        thinking.Clock.Set(ThinkingSite.At("2027-11-09T01:10:00Z"));
        thinking.Provider.EnqueueFor(
            ThinkingSite.Model, ThinkingSite.Decision("Never", "2029-01-01"), ThinkingSite.Decision("Then so", "2027-11-10"));
        await RescheduleAsync(thinking);
        Assert.Equal("2027-11-10 Call", await thinking.TodosOfAsync(execution));
        thinking.Clock.Set(ThinkingSite.At("2027-11-11T01:10:00Z"));
        var asked = thinking.Provider.Requests.Count;
        Assert.Equal([1], await RescheduleAsync(thinking));
        Assert.Empty(await RescheduleAsync(thinking));

        Assert.Equal(asked, thinking.Provider.Requests.Count);
        Assert.Equal("2027-11-10 Call", await thinking.TodosOfAsync(execution));
        Assert.Equal(1, await site.ValueAsync<long>("""
            select count(*) from assistants.todos
              where deletion_proposed_at is not null and deleted_by_mojo_at is null and deletion_justification is not null
            """));
    }

    private static async Task<List<int>> RescheduleAsync(ThinkingSite thinking)
    {
        var answer = await thinking.Site.OkAsync(AssistantsSite.Scheduler, HttpMethod.Post, "/todos_scheduling");
        await thinking.Site.Host.RunJobsAsync();
        return [.. answer["todo_pks"]!.AsArray().Select(pk => (int)pk!)];
    }
}
