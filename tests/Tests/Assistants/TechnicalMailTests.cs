using Stoa.Assistants.Mail;
using Stoa.Tests.Assistants.Events;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants;

/// <summary>What the people who run it are told of: models that do not do as they are told, and jobs that failed for good.</summary>
public sealed class TechnicalMailTests : IAsyncLifetime
{
    private const string Unclear = "A model said neither yes nor no";
    private const string NoDay = "A model named no day";

    private readonly LoopbackSmtp smtp = new();
    private ThinkingSite thinking = null!;

    private AssistantsSite Site => thinking.Site;

    public async ValueTask InitializeAsync() =>
        thinking = await ThinkingSite.StartAsync("2027-11-01T10:00:00Z", [.. EventsSite.MailSettings(smtp)]);

    [Fact]
    public async Task A_todo_of_which_the_model_says_neither_yes_nor_no_is_left_out_and_told_of_once_an_hour()
    {
        for (var number = 0; number < 2; number++)
        {
            var execution =
                await Site.ExecutionAsync(await Site.UserAsync("Ada"), ["I met Bob"], produced: "Minutes", quietFor: TimeSpan.FromHours(1));
            thinking.Provider.EnqueueFor(ThinkingSite.Model,
                ThinkingSite.Todos(("Call", "Yes ", "2027-11-09"), ("Sing", "perhaps", "2027-11-09"), ("Wait", "NO", "2027-11-09")));

            await Site.OkAsync(authorization: null, HttpMethod.Post, "/background/extract_todos",
                new() { ["user_task_execution_pk"] = execution.Execution });
            await Site.Host.RunJobsAsync();

            Assert.Equal("2027-11-09 Call", await thinking.TodosOfAsync(execution));
        }
        var mail = Assert.Single(Told(Unclear));
        Assert.StartsWith("MOJODEX ERROR - ", mail.Header("Subject"), StringComparison.Ordinal);
        Assert.DoesNotContain("Sing", mail.Part("text/plain"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_day_to_which_nothing_can_be_moved_is_told_of_and_the_next_weekday_taken()
    {
        var user = await Site.UserAsync("Ada", "Europe/Paris");
        var todo = await Site.ValueAsync<int>("""
            with made as (insert into assistants.todos (user_id, description, content_key, scheduled_date)
              values ($1, 'Call', 'Call', '2027-10-29') returning id)
            insert into assistants.todo_schedulings (todo_id, scheduled_date) select id, '2027-10-29' from made returning todo_id
            """, user.Id);
        thinking.Provider.EnqueueFor(
            ThinkingSite.Model, ThinkingSite.Decision("Later", "some day"), ThinkingSite.Decision("Later", "2020-01-01"));

        await Site.OkAsync(authorization: null, HttpMethod.Post, "/background/reschedule_todo", new() { ["todo_pk"] = todo });
        await Site.Host.RunJobsAsync();

        Assert.Equal(
            new DateOnly(2027, 11, 2), await Site.ValueAsync<DateOnly>("select scheduled_date from assistants.todos where id = $1", todo));
        Assert.Single(Told(NoDay));
    }

    [Fact]
    public async Task Dead_jobs_are_told_of_once_and_all_in_one_mail()
    {
        var execution = await Site.ExecutionAsync(await Site.UserAsync("Ada"), ["I met Bob"]);
        thinking.Provider.EnqueueFor(ThinkingSite.Model, ScriptedAnswer.Error(400));
        await Site.OkAsync(
            authorization: null, HttpMethod.Post, "/background/user_task_execution_title_and_summary",
            new() { ["user_task_execution_pk"] = execution.Execution });
        await Site.Host.RunJobsAsync();
        await Site.SqlAsync("""
            insert into platform.finished_jobs
              (id, kind, state, priority, run_at, args, tenant, created_by, created_at, max_attempts, attempt, snoozed,
                finished_at, history)
            select gen_random_uuid(), kind, 'dead', 0, now(), '{}', '', 'system', now(), 1, 1, 0, now(), '[]'
            from unnest(array['assistants.read_website', 'assistants.send_office_mail', 'learning.generate_course']) kind,
              generate_series(1, 7)
            """);
        // Ids of jobs tell when they were made.
        await Site.SqlAsync(
            "update platform.finished_jobs set id = ('ffffffff' || right(id::text, 28))::uuid where kind like '%.read_website'");

        await Site.RunScheduleAsync(TellOfDeadJobs.Kind);
        await Site.RunScheduleAsync(TellOfDeadJobs.Kind);

        var text = Assert.Single(Told("Jobs that failed for good")).Part("text/plain")!;
        Assert.Contains("failed for good: 8", text, StringComparison.Ordinal);
        Assert.Contains("assistants.read_website: 7 (", text, StringComparison.Ordinal);
        Assert.Contains(", …)", text, StringComparison.Ordinal);
        Assert.Contains("assistants.title_and_summary: 1 (", text, StringComparison.Ordinal);
        Assert.DoesNotContain("learning", text, StringComparison.Ordinal);
        Assert.DoesNotContain("send_office_mail", text, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await thinking.DisposeAsync();
        await smtp.DisposeAsync();
    }

    private List<ReceivedMail> Told(string what) =>
        [.. smtp.To("tech@example.org").Where(mail => mail.Part("text/plain")?.StartsWith(what, StringComparison.Ordinal) is true)];
}
