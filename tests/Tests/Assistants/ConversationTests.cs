using System.Net;
using System.Text.Json.Nodes;
using Stoa.Tests.Assistants.Events;
using Stoa.Tests.Assistants.Work;
using Stoa.Tests.Support;
using static System.Net.Http.HttpMethod;

namespace Stoa.Tests.Assistants;

/// <summary>
/// The whole of it, by the routes that clients and schedulers call: from what a user says, over its title, its to-dos and their new days,
/// to the mail on his morning.
/// </summary>
public sealed class ConversationTests : IAsyncLifetime
{
    private const string Asked = "Write the minutes of my meeting with Bob of Initech, please.";
    private const string Told = "Bob will order the printers. I will send him the offer tomorrow, and I call Carol by Friday next week.";
    private const string Subject = "Your day";
    private const string Reason = "Bob is away on Monday";

    // A Friday afternoon in Paris, two days before the clocks go back there. Of one only the offset is known, and of one nothing.
    private const string Start = "2027-10-29T10:30:00Z";

    private static readonly (string Name, string? Zone, int? Offset, string Today, string Tomorrow)[] People =
    [
        ("west", null, 660, "2027-10-28", "2027-10-29"), ("east", "Pacific/Kiritimati", -840, "2027-10-30", "2027-10-31"),
        ("kolkata", "Asia/Kolkata", -330, "2027-10-29", "2027-10-30"), ("paris", "Europe/Paris", -120, "2027-10-29", "2027-10-30"),
        ("nowhere", null, null, "2027-10-29", "2027-10-30"),
    ];

    // When somebody looks; whose to-dos are moved then, at one in the morning of a working day of theirs; who is mailed then, at eight.
    private static readonly (string At, string Moved, string Mailed)[] Days =
    [
        ("2027-10-29T11:59:00Z", "", ""), ("2027-10-29T12:00:00Z", "west", ""),
        ("2027-10-29T18:59:00Z", "", ""), ("2027-10-29T19:00:00Z", "", "west"),
        ("2027-10-30T07:00:00Z", "", ""), ("2027-10-31T11:00:00Z", "east east", ""),
        ("2027-10-31T17:59:00Z", "", ""), ("2027-10-31T18:00:00Z", "", "east"), ("2027-10-31T19:30:00Z", "kolkata kolkata", ""),
        ("2027-11-01T00:00:00Z", "paris paris", ""), ("2027-11-01T01:30:00Z", "", ""),
        // Six hours in which nobody looks: eight o'clock passes in Kolkata and in Paris.
        ("2027-11-01T07:30:00Z", "", "kolkata paris"), ("2027-11-01T07:31:00Z", "", ""), ("2027-11-01T12:00:00Z", "west", ""),
        ("2027-11-01T18:00:00Z", "", "east"), ("2027-11-01T18:59:00Z", "", ""),
        ("2027-11-01T19:00:00Z", "", "west"), ("2027-11-01T20:00:00Z", "", ""),
    ];

    private readonly EventsSite events = new();

    private AssistantsSite Site => events.Site;

    public ValueTask InitializeAsync() => events.InitializeAsync();

    public ValueTask DisposeAsync() => events.DisposeAsync();

    [Fact]
    public async Task What_a_user_says_he_will_do_comes_back_to_him_on_his_own_days_and_once_on_each_morning()
    {
        events.Provider.Answering = Answer;
        events.Set(Start);
        var all = new List<Conversation>();
        foreach (var (name, zone, offset, _, _) in People)
        {
            all.Add(await BeginAsync(name, zone, offset));
        }

        await SayAsync(all, "first", Asked);
        Assert.All(await ViewsAsync(all), view => Assert.Equal("Minutes of a meeting", (string?)view["title"]));
        await SayAsync(all, "second", Told);
        Assert.All(await ViewsAsync(all), view => Assert.Equal(
            ("Minutes with an offer for Bob", "You met Bob.", "Meeting with Bob"),
            ((string?)view["title"], (string?)view["summary"], (string?)view["produced_text_title"])));

        events.Set("2027-10-29T10:35:00Z");
        Assert.Empty(await ScheduleAsync("/extract_todos", "user_task_execution_pks"));
        events.Set("2027-10-29T10:41:00Z");
        Assert.Equal(all.Select(one => one.Execution), await ScheduleAsync("/extract_todos", "user_task_execution_pks"));
        Assert.Empty(await ScheduleAsync("/extract_todos", "user_task_execution_pks"));
        foreach (var ((_, _, _, today, tomorrow), conversation) in People.Zip(all))
        {
            Assert.Equal(
                [$"{today} File the notes", $"{tomorrow} Send the offer to Bob of Initech", "2027-11-05 Call Carol"],
                await TodosAsync(conversation));
        }

        foreach (var (at, moved, mailed) in Days)
        {
            Assert.Equal((at, moved, mailed), await LookAsync(at));
        }

        foreach (var conversation in all.SkipLast(1))
        {
            Assert.Equal(
                ["2027-11-02 File the notes", "2027-11-02 Send the offer to Bob of Initech", "2027-11-05 Call Carol"],
                await TodosAsync(conversation));
        }
        Assert.StartsWith("2027-10-29", (await TodosAsync(all[^1]))[0], StringComparison.Ordinal);
        Assert.Equal(
            8, await Site.ValueAsync<long>("select count(*) from assistants.todo_schedulings where reschedule_justification = $1", Reason));
        var mails = events.Smtp.To("west@example.org").Where(mail => mail.Header("Subject") != "Welcome")
            .Select(mail => mail.Part("text/plain")!).ToList();
        Assert.Contains("Send the offer to Bob of Initech (from: Meeting with Bob)", mails[0], StringComparison.Ordinal);
        Assert.Contains(
            $"File the notes (from: Meeting with Bob) now due 2027-11-02; reason: {Reason}", mails[0], StringComparison.Ordinal);
        Assert.DoesNotContain("File the notes", mails[1], StringComparison.Ordinal);
        Assert.Contains($"Send the offer to Bob of Initech (from: Meeting with Bob) now due 2027-11-02; reason: {Reason}",
            mails[1], StringComparison.Ordinal);
    }

    /// <summary>A model that does as it is told, by what it is given: what it says names nothing that it was not told of.</summary>
    private static ScriptedAnswer? Answer(ScriptedRequest request)
    {
        if (request.Json!["messages"] is not JsonArray messages)
        {
            return null;
        }
        var (instructions, material) = ((string)messages[0]!["content"]!, (string)messages[^1]!["content"]!);
        var isTold = material.Contains(Told, StringComparison.Ordinal);
        return IsFor("Answer what he said last")
            ? ScriptedAnswer.Text(isTold
                ? "Here they are.<title>Meeting with Bob</title><draft>Bob orders the printers.</draft>" : "Who said what?")
            : IsFor("The summary has at most 3 sentences")
            ? ScriptedAnswer.Json(new JsonObject { ["title"] = isTold ? "Minutes with an offer for Bob" : "Minutes of a meeting",
                ["summary"] = "You met Bob." })
            : IsFor("Find the next steps") && isTold && material.Contains("Bob orders the printers.", StringComparison.Ordinal)
            ? ThinkingSite.Todos(
                ("Send the offer to Bob of Initech", "Yes ", "tomorrow"),
                ("Call Carol", "yes", "2027-11-05"), ("Order the printers", "no", "2027-11-01"),
                ("Wonder", "maybe", "2027-11-01"), ("Retire", "yes", "2060-01-01"),
                ("File the notes", "yes", "2027-01-01"), ("Dream", "yes", "someday"))
            : IsFor("reschedule_date") ? ThinkingSite.Decision(Reason, "2027-11-02")
            : IsFor("Write the mail that the user gets this morning") ? Mail(material)
            : null;

        bool IsFor(string words) => instructions.Contains(words, StringComparison.Ordinal);
    }

    private static ScriptedAnswer Mail(string material) => ScriptedAnswer.Json(new JsonObject
    {
        ["subject"] = Subject,
        ["body"] = string.Concat(
            material.Split('\n').Where(line => line.StartsWith("- ", StringComparison.Ordinal))
            .Select(line => $"<p>{WebUtility.HtmlEncode(line)}</p>")),
    });

    private async Task<Conversation> BeginAsync(string name, string? zone, int? offset)
    {
        var user = await Site.RegisteredAsync(name);
        if (offset is not null)
        {
            await Site.OkAsync(user.Token, Post, "/timezone", new() { ["timezone_offset"] = offset, ["timezone_name"] = zone });
        }
        await Site.OkAsync(user.Token, Put, "/notification_settings", new() { ["reminders"] = false });
        var (execution, session) = await Site.BeginAsync(user, "prepare_meeting_minutes");
        return new(user, execution, session);
    }

    private async Task SayAsync(List<Conversation> all, string id, string text)
    {
        foreach (var (user, _, session) in all)
        {
            await StoryTests.SayAsync(Site, user.Token, session, id, text);
        }
        await Site.Host.RunJobsAsync();
    }

    private async Task<List<JsonNode>> ViewsAsync(List<Conversation> all)
    {
        var views = new List<JsonNode>();
        foreach (var (user, execution, _) in all)
        {
            views.Add(await Site.OkAsync(user.Token, Get, $"/user_task_execution?user_task_execution_pk={execution}"));
        }
        return views;
    }

    private async Task<List<string>> TodosAsync(Conversation conversation) =>
    [
        .. (await Site.OkAsync(
            conversation.User.Token, Get, $"/todos?n_todos=10&user_task_execution_fk={conversation.Execution}"))["todos"]!.AsArray()
            .Select(todo => $"{todo!["scheduled_date"]} {todo["description"]}").Order(StringComparer.Ordinal),
    ];

    /// <summary>As the scheduler of the original does; what it has set going is done when this returns.</summary>
    private async Task<List<int>> ScheduleAsync(string path, string member)
    {
        var answer = await Site.OkAsync(AssistantsSite.Scheduler, Post, path);
        await Site.Host.RunJobsAsync();
        return [.. answer[member]!.AsArray().Select(pk => (int)pk!)];
    }

    private async Task<(string At, string Moved, string Mailed)> LookAsync(string at)
    {
        var mails = events.Smtp.Mails.Count;
        events.Set(at);
        var moved = new List<string>();
        foreach (var todo in await ScheduleAsync("/todos_scheduling", "todo_pks"))
        {
            moved.Add(await Site.ValueAsync<string>(
                "select u.name from assistants.todos t join assistants.users u on u.id = t.user_id where t.id = $1", todo));
        }
        await events.TickAsync(at);
        var mailed = events.Smtp.Mails.Skip(mails).ToList();
        Assert.All(mailed, mail => Assert.Equal(Subject, mail.Header("Subject")));
        return (at, Joined(moved), Joined(mailed.SelectMany(mail => mail.To).Select(address => address.Split('@')[0])));
    }

    private static string Joined(IEnumerable<string> names) => string.Join(' ', names.Order(StringComparer.Ordinal));

    private sealed record Conversation(Assisted User, int Execution, string Session);
}
