using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Work;

/// <summary>One host for a class: a scripted model, and two users who have what the other must not see.</summary>
public sealed class WorkSite : IAsyncLifetime
{
    private ScriptedProvider? provider;

    internal AssistantsSite Site { get; private set; } = null!;

    internal ScriptedProvider Model => provider!;

    internal Assisted Ada { get; private set; } = null!;

    internal Assisted Bob { get; private set; } = null!;

    /// <summary>Ada's.</summary>
    internal Done Done { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        provider = await ScriptedProvider.StartAsync();
        Site = await AssistantsSite.StartAsync([.. ThinkingSite.SettingsOf(provider), ("Egress:Allow", "127.0.0.1")]);
        Ada = await Site.UserAsync("Ada", zone: "Asia/Kolkata");
        Bob = await Site.UserAsync("Bob");
        Done = await Site.ExecutionAsync(Ada, ["Bob sends the plan", "Noted"], "The minutes say 50% of it");
    }

    /// <summary>Who has said something in the session, and whether it shows as failed.</summary>
    internal async Task<string> StandsAsync(Assisted user, string session) => string.Join(", ",
        (await Site.OkAsync(user.Token, HttpMethod.Get, $"/message?session_id={session}"))["messages"]!.AsArray()
            .Select(message => $"{message!["sender"]} {(bool)message["in_error_state"]!}"));

    public async ValueTask DisposeAsync()
    {
        await Site.DisposeAsync();
        await provider!.DisposeAsync();
    }

    internal Task<Assisted> RegisteredAsync(string name) => Site.RegisteredAsync(name);

    internal Task<(int Id, string Session)> BeginAsync(Assisted user, string task = "general_assistance") => Site.BeginAsync(user, task);
}
