using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Assistants.Auth;

/// <summary>Section <c>Assistants:Auth</c>. A secret that is not set opens nothing.</summary>
internal sealed class MojodexAuthOptions
{
    public const string Section = "Assistants:Auth";

    /// <summary>Signs the tokens of users.</summary>
    public string? TokenSecret { get; set; }

    /// <summary>HS256, HS384 or HS512.</summary>
    public SigningAlgorithm TokenAlgorithm { get; set; } = SigningAlgorithm.HS256;

    /// <summary>What stands between a user's id and the rest of <c>sub</c>.</summary>
    [Required]
    public string SubjectSplitter { get; set; } = "__mojodex__";

    public string? SchedulerSecret { get; set; }

    public string? BackgroundSecret { get; set; }

    public string? BackofficeSecret { get; set; }

    public string? WebappSecret { get; set; }

    public string? PurchaseUpdaterSecret { get; set; }
}

/// <summary>A fresh clone has no secret, and its developer wants to log in all the same.</summary>
internal sealed class DevelopmentSecret(IHostEnvironment environment) : IPostConfigureOptions<MojodexAuthOptions>
{
    public void PostConfigure(string? name, MojodexAuthOptions options)
    {
        if (environment.IsDevelopment())
        {
            options.TokenSecret ??= "stoa-dev";
        }
    }
}

internal sealed class MojodexAuthOptionsValidator(IHostEnvironment environment) : IValidateOptions<MojodexAuthOptions>
{
    public ValidateOptionsResult Validate(string? name, MojodexAuthOptions options)
    {
        if (options.TokenAlgorithm is not (SigningAlgorithm.HS256 or SigningAlgorithm.HS384 or SigningAlgorithm.HS512))
        {
            return ValidateOptionsResult.Fail($"{nameof(options.TokenAlgorithm)} must be HS256, HS384 or HS512");
        }
        (string Name, string? Value)[] secrets =
        [
            (nameof(options.TokenSecret), options.TokenSecret), (nameof(options.SchedulerSecret), options.SchedulerSecret),
            (nameof(options.BackgroundSecret), options.BackgroundSecret), (nameof(options.BackofficeSecret), options.BackofficeSecret),
            (nameof(options.WebappSecret), options.WebappSecret), (nameof(options.PurchaseUpdaterSecret), options.PurchaseUpdaterSecret),
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
