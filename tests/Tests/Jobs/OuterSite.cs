using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

/// <summary>
/// A host with jobs of several owners: the system, the organization <c>default</c>, another organization, and a key in each that is no
/// admin's. Its jobs of the kind <c>test.narrow</c> keep their arguments to themselves.
/// </summary>
public sealed class OuterSite : IAsyncLifetime
{
    public const string Root = "/api/stoa/jobs";
    public const string Schedule = "test.yearly";

    private HostUnderTest host = null!;

    internal Script Script { get; } = new();

    internal IServiceProvider Services => host.Services;

    internal Uri Address => host.Client.BaseAddress!;

    internal NewKey OtherAdmin { get; private set; } = null!;

    internal NewKey OtherUser { get; private set; } = null!;

    internal NewKey User { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        host = await HostUnderTest.StartAsync(add: builder =>
        {
            builder.Services.AddSingleton(Script);
            builder.Services.AddJob<Step, StepHandler>("test.step", JobsTestJson.Default.Step, JobsSite.Quick);
            builder.Services.AddJob<Narrow, NarrowHandler>(
                "test.narrow", JobsTestJson.Default.Narrow, JobsSite.Quick with { IsSensitive = true });
            builder.Services.AddSchedule(Schedule, new Step("yearly"), "0 3 1 1 *", "Europe/Berlin");
        });
        var keys = Services.GetRequiredService<KeyStore>();
        var other = await keys.EnsureOrganizationAsync("other", "test", Ct);
        User = await keys.CreateAsync(Organization.DefaultId, new("user"), "test", Ct);
        OtherAdmin = await keys.CreateAsync(other.Id, new("admin", IsAdmin: true), "test", Ct);
        OtherUser = await keys.CreateAsync(other.Id, new("user"), "test", Ct);
        await Services.GetRequiredService<KeyRingSync>().ReloadAsync(Ct);
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    /// <summary>Whoever holds this token; by default the admin of the organization <c>default</c>.</summary>
    internal HttpClient Client(string? token = "stoa-dev")
    {
        var client = new HttpClient { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    internal HttpClient Client(NewKey key) => Client(key.Token);

    /// <summary>A job that no worker begins before its time has come, in a year.</summary>
    internal Task<Guid> LaterAsync(NewKey? owner) =>
        EnqueueAsync("later", owner, new() { RunAt = TimeProvider.System.GetUtcNow().AddYears(1) });

    internal async Task<Guid> EnqueueAsync(string name, NewKey? owner = null, EnqueueOptions? options = null)
    {
        var of = owner is null ? JobOwner.System
            : new JobOwner(owner.Row.OrganizationId, KeyId: owner.Row.Id, CreatedBy: $"key:{owner.Row.Id}");
        return (await Services.GetRequiredService<JobQueue>().EnqueueAsync(new Step(name), (options ?? new()) with { Owner = of }, Ct)).Id;
    }

    /// <summary>A job that has failed for good.</summary>
    internal async Task<Guid> DeadAsync(NewKey? owner = null, string name = "dead")
    {
        Script.Acts[name] = (_, _) => throw JobFailure.Dead($"It cannot be: {name}");
        var id = await EnqueueAsync(name, owner);
        await UntilAsync(id, "dead");
        return id;
    }

    /// <summary>Looks at a job until it is in this state.</summary>
    internal async Task<JsonNode> UntilAsync(Guid id, string state)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var job = await Services.GetRequiredService<JobStore>().FindAsync(id, null, Ct);
            if (job is not null && string.Equals(job.State.ToString(), state, StringComparison.OrdinalIgnoreCase))
            {
                return new JsonObject { ["id"] = id, ["error"] = job.Error };
            }
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience.Long, $"Still {job?.State}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
    }

    internal async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    internal static async Task<JsonNode> ReadAsync(HttpClient client, string path) =>
        (await client.GetFromJsonAsync<JsonNode>(new Uri(path, UriKind.Relative), Ct))!;
}
