using System.Text.Json.Nodes;
using Npgsql;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Events;

/// <summary>
/// kill -9 around the one step that no transaction covers: the mail server has the mail, and we have not written that down.
/// </summary>
public sealed class MailCrashTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_is_never_lost_and_one_that_is_sent_again_is_the_same_mail()
    {
        await using var smtp = new LoopbackSmtp();
        var cluster = await TestContext.Current.GetFixture<TestCluster>()
            ?? throw new InvalidOperationException("There is no test cluster");
        var database = await cluster.CreateDatabaseAsync();
        var settings = EventsSite.MailSettings(smtp)
            .Concat([("Assistants:Auth:BackgroundSecret", AssistantsSite.Background),
                ("ConnectionStrings:Stoa", database), ("Jobs:LeaseSeconds", "15")])
            .ToDictionary(
                pair => pair.Item1.Replace(":", "__", StringComparison.Ordinal), pair => (string?)pair.Item2, StringComparer.Ordinal);
        await using var host = await HostProcess.StartAsync(settings);
        await AddUserAsync(database);
        var (accepted, taken) = (new TaskCompletionSource(), new TaskCompletionSource());
        smtp.Taking = async _ =>
        {
            // The first time the server dies with us before it has answered.
            if (!taken.Task.IsCompleted)
            {
                await accepted.Task;
                await host.KillAsync();
                taken.SetResult();
            }
        };

        var told = await TellAsync(host);
        accepted.SetResult();
        await taken.Task.WaitAsync(Patience.Long, TimeProvider.System, Ct);
        await host.StartAgainAsync();
        await DeliveredAsync(database);

        Assert.Equal(2, smtp.Mails.Count);
        Assert.Single(smtp.Mails.Select(mail => mail.Header("Message-ID")).Distinct());
        Assert.Single(smtp.Mails.Select(mail => mail.Part("text/html")).Distinct());

        // No job is left that could send it, and whoever tells it once more is told of the first.
        Assert.Equal(0L, await SqlAsync(database, "select count(*) from platform.jobs where kind = 'assistants.deliver_event'"));
        Assert.Equal(told, await TellAsync(host));
        Assert.Equal(0L, await SqlAsync(database, "select count(*) from platform.jobs where kind = 'assistants.deliver_event'"));
        Assert.Equal(2, smtp.Mails.Count);
    }

    /// <summary>The event, which is accepted.</summary>
    private static async Task<int> TellAsync(HostProcess host)
    {
        using var client = HostProcess.ClientAt(host.BaseAddress);
        using var request = new HttpRequestMessage(HttpMethod.Put, "/assistants/event")
        {
            Content = new StringContent(new JsonObject
            {
                ["datetime"] = "x", ["user_id"] = "ada", ["event_type"] = "todo_daily_email",
                ["message"] = new JsonObject { ["subject"] = "Your day", ["body"] = "<p>Call Bob</p>", ["email"] = "ada@example.org" },
            }.ToJsonString()),
        };
        request.Headers.TryAddWithoutValidation("Authorization", AssistantsSite.Background);
        using var answer = await client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return (int)JsonNode.Parse(text)!["event_pk"]!;
    }

    private static async Task AddUserAsync(string database) => await SqlAsync(database, """
        insert into assistants.users (id, organization_id, name, email) select 'ada', id, 'Ada', 'ada@example.org'
        from platform.organizations order by id limit 1
        """);

    /// <summary>The lease of the run that died must end first.</summary>
    private static Task DeliveredAsync(string database) => Patience.UntilAsync(
        async () => await SqlAsync(database, "select 1 from assistants.events where delivered_at is not null") is not null,
        () => "The mail is not sent again");

    private static async Task<object?> SqlAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
