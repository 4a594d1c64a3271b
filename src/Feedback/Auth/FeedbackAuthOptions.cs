using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Stoa.Platform.Identity;

namespace Stoa.Feedback.Auth;

/// <summary>Section <c>Feedback:Auth</c>.</summary>
internal sealed class FeedbackAuthOptions
{
    public const string Section = "Feedback:Auth";

    /// <summary>What Open-Assistant ships with, for both. Development takes it when nothing else is set.</summary>
    public const string Shipped = "1234";

    /// <summary>The key of the trusted web site; the client is made at the start when the key is unknown.</summary>
    public string? OfficialWebApiKey { get; set; }

    /// <summary>Those who know one may make API clients. Without any, nobody may.</summary>
    public List<string> RootTokens { get; set; } = [];

    /// <summary>Signs users in with Discord on this surface; needs the settings <c>Discord</c> and <c>NextAuth:Secrets</c>.</summary>
    public bool DiscordSignIn { get; set; }
}

internal sealed class DevelopmentAuth(IHostEnvironment environment) : IPostConfigureOptions<FeedbackAuthOptions>
{
    public void PostConfigure(string? name, FeedbackAuthOptions options)
    {
        if (!environment.IsDevelopment())
        {
            return;
        }
        options.OfficialWebApiKey ??= FeedbackAuthOptions.Shipped;
        if (options.RootTokens.Count == 0)
        {
            options.RootTokens = [FeedbackAuthOptions.Shipped];
        }
    }
}

internal sealed class FeedbackAuthOptionsValidator(IHostEnvironment environment) : IValidateOptions<FeedbackAuthOptions>
{
    public ValidateOptionsResult Validate(string? name, FeedbackAuthOptions options)
    {
        if (!string.IsNullOrEmpty(options.OfficialWebApiKey)
            && SharedSecret.RuleBroken(options.OfficialWebApiKey, environment) is { } rule)
        {
            return ValidateOptionsResult.Fail($"{nameof(options.OfficialWebApiKey)} {rule}");
        }
        for (var i = 0; i < options.RootTokens.Count; i++)
        {
            if (SharedSecret.RuleBroken(options.RootTokens[i], environment) is { } broken)
            {
                return ValidateOptionsResult.Fail($"{nameof(options.RootTokens)}:{i} {broken}");
            }
        }
        return ValidateOptionsResult.Success;
    }
}
