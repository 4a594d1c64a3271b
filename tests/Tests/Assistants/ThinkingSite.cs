using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants;

/// <summary>Assistants who ask a scripted model, by a clock that the test sets. Schedules run only when they are told to.</summary>
internal sealed class ThinkingSite(AssistantsSite site, ScriptedProvider provider, ShiftedClock clock) : IAsyncDisposable
{
    public const string Model = "scripted-small";

    /// <summary>Those that look for what is to be thought about.</summary>
    public static readonly string[] Schedules = ["assistants.select_quiet_executions", "assistants.select_overdue_todos"];

    public AssistantsSite Site => site;

    public ScriptedProvider Provider => provider;

    public ShiftedClock Clock => clock;

    public static async Task<ThinkingSite> StartAsync(string now, params (string Key, string Value)[] settings)
    {
        var provider = await ScriptedProvider.StartAsync();
        var clock = new ShiftedClock(At(now));
        var site = await AssistantsSite.StartAsync(clock, [.. SettingsOf(provider), .. settings]);
        ThinkingSite thinking = new(site, provider, clock);
        foreach (var schedule in Schedules)
        {
            await site.PauseScheduleAsync(schedule);
        }
        return thinking;
    }

    public static IEnumerable<(string Key, string Value)> SettingsOf(ScriptedProvider provider) =>
    [
        ("Gateway:Providers:openai:Kind", "openai"), ("Gateway:Providers:openai:BaseUrl", $"{provider.BaseAddress}v1"),
        ("Gateway:Providers:openai:ApiKey", provider.Key), ("Gateway:Retries", "0"), ("Assistants:Models:0", $"openai/{Model}"),
        // Jobs finish by the database's clock: to a host that a test has sent into another year they look long over, and would be
        // forgotten.
        ("Jobs:KeepMonths", "120"),
    ];

    public static DateTimeOffset At(string instant) => DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture);

    public static ScriptedAnswer Todos(params (string What, string Mentioned, string Due)[] found) => ScriptedAnswer.Json(new JsonObject
    {
        ["todos"] = new JsonArray([.. found.Select(todo => new JsonObject
        {
            ["todo_definition"] = todo.What, ["mentioned_as_todo"] = todo.Mentioned, ["due_date"] = todo.Due,
        })]),
    });

    public static ScriptedAnswer Decision(string argument, string date) => ScriptedAnswer.Json(new JsonObject
    {
        ["pros"] = "soon", ["cons"] = "late", ["argument"] = argument, ["reschedule_date"] = date,
    });

    /// <summary>What stands in the table for an execution: <c>2027-10-30 Send the minutes</c>.</summary>
    public Task<string> TodosOfAsync(Done execution) => site.ValueAsync<string>("""
        select coalesce(string_agg(scheduled_date || ' ' || description, '; ' order by scheduled_date, description), '')
        from assistants.todos
        where task_execution_id = $1
        """, execution.Execution);

    public async ValueTask DisposeAsync()
    {
        await site.DisposeAsync();
        await provider.DisposeAsync();
    }
}
