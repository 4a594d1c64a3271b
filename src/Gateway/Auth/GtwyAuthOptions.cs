using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Auth;

/// <summary>
/// Section <c>Gateway:Auth</c>: the secrets that sign the tokens of GTWY's clients. Without one, no such token is accepted.
/// </summary>
internal sealed class GtwyAuthOptions
{
    public const string Section = "Gateway:Auth";

    /// <summary>Signs the tokens of users.</summary>
    public string? TokenSecret { get; set; }

    /// <summary>Signs the tokens of chatbots.</summary>
    public string? ChatbotSecret { get; set; }

    /// <summary>Signs the tokens of those who use public agents.</summary>
    public string? PublicChatbotSecret { get; set; }
}

internal sealed class GtwyAuthOptionsValidator(IHostEnvironment environment) : IValidateOptions<GtwyAuthOptions>
{
    public ValidateOptionsResult Validate(string? name, GtwyAuthOptions options)
    {
        (string Name, string? Value)[] secrets =
        [
            (nameof(options.TokenSecret), options.TokenSecret), (nameof(options.ChatbotSecret), options.ChatbotSecret),
            (nameof(options.PublicChatbotSecret), options.PublicChatbotSecret),
        ];
        foreach (var secret in secrets.Where(secret => !string.IsNullOrEmpty(secret.Value)))
        {
            if (SharedSecret.RuleBroken(secret.Value, environment) is { } rule)
            {
                return ValidateOptionsResult.Fail($"{secret.Name} {rule}");
            }
        }
        return ValidateOptionsResult.Success;
    }
}
