using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Assistants.Events;
using Stoa.Platform.Jobs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Events;

/// <summary>Assistants who mail and push, by a clock that the test sets; local hours are looked at when the test says so.</summary>
public sealed class EventsSite : IAsyncLifetime
{
    private const string Start = "2027-03-03T00:00:00Z";

    private readonly ShiftedClock clock = new(ThinkingSite.At(Start));

    private AssistantsSite? site;
    private LoopbackFcm? fcm;
    private ScriptedProvider? provider;

    internal AssistantsSite Site => site!;

    internal LoopbackSmtp Smtp { get; } = new();

    internal LoopbackFcm Fcm => fcm!;

    internal ScriptedProvider Provider => provider!;

    public async ValueTask InitializeAsync()
    {
        provider = await ScriptedProvider.StartAsync();
        fcm = await LoopbackFcm.StartAsync(clock);
        site = await AssistantsSite.StartAsync(clock, [.. ThinkingSite.SettingsOf(provider), .. MailSettings(Smtp), .. fcm.Settings]);
        foreach (var schedule in ThinkingSite.Schedules)
        {
            await site.PauseScheduleAsync(schedule);
        }
    }

    /// <summary>As at the start: it has no users, nothing was sent, and the clock says what it said then.</summary>
    internal async Task ForgetAsync()
    {
        await Site.Host.RunJobsAsync();
        await Site.SqlAsync("delete from assistants.users");
        Smtp.Forget();
        Fcm.Forget();
        Set(Start);
    }

    internal static IEnumerable<(string Key, string Value)> MailSettings(LoopbackSmtp smtp) =>
    [
        ("Assistants:Mail:Host", "127.0.0.1"), ("Assistants:Mail:Port", smtp.Port.ToString(CultureInfo.InvariantCulture)),
        ("Assistants:Mail:StartTls", "false"), ("Assistants:Mail:SenderEmail", LoopbackSmtp.User),
        ("Assistants:Mail:Password", LoopbackSmtp.Password),
        ("Assistants:Mail:SenderName", "Zoé, the assistant"), ("Assistants:Mail:WebappUrl", "https://app.example.org"),
        ("Assistants:Mail:AdminReceivers", "admin@example.org"),
        ("Assistants:Mail:TechnicalReceivers", "tech@example.org, tech2@example.org"),
        ("Assistants:Mail:PurchasesReceivers", "sales@example.org"),
        ("Assistants:Events:IsScheduled", "false"), ("Assistants:Events:SendReminders", "true"),
    ];

    /// <summary>Sets the clock, lets the schedule look whose hour it is, and whatever follows happen.</summary>
    internal Task TickAsync(string now) => TickAsync(ThinkingSite.At(now));

    internal async Task TickAsync(DateTimeOffset now)
    {
        clock.Set(now);
        await Site.Host.Services.GetRequiredService<JobQueue>()
            .EnqueueAsync(new RunLocalHours(), options: null, TestContext.Current.CancellationToken);
        await Site.Host.RunJobsAsync();
    }

    internal void Set(string now) => clock.Set(ThinkingSite.At(now));

    internal Task<int> TodoAsync(Assisted user, string description, string date, string created = "2027-01-01T00:00:00Z") =>
        Site.ValueAsync<int>("""
        insert into assistants.todos (user_id, description, content_key, scheduled_date, created_at)
        values ($1, $2, $2, $3, $4) returning id
        """, user.Id, description, DateOnly.Parse(date, CultureInfo.InvariantCulture), ThinkingSite.At(created));

    internal IReadOnlyList<ReceivedMail> MailsOf(Assisted user) => Smtp.To($"{user.Id}@example.org");

    internal void AnswerEmail(string subject, string body) => Provider.EnqueueFor(
        ThinkingSite.Model, ScriptedAnswer.Json(new JsonObject { ["subject"] = subject, ["body"] = body }));

    public async ValueTask DisposeAsync()
    {
        if (site is not null)
        {
            await site.DisposeAsync();
            await Fcm.DisposeAsync();
            await Provider.DisposeAsync();
        }
        await Smtp.DisposeAsync();
    }
}
