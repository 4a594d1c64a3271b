using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Stoa.Assistants.Push;

/// <summary>Section <c>Assistants:Push</c>: Firebase Cloud Messaging. Without a project and its account nothing is pushed.</summary>
internal sealed class PushOptions
{
    public const string Section = "Assistants:Push";

    /// <summary>The Firebase project.</summary>
    public string? ProjectId { get; set; }

    /// <summary>The key file of a service account: its path, or the JSON itself.</summary>
    public string? ServiceAccount { get; set; }

    /// <summary>Where messages go.</summary>
    [Required, Url]
    public string Url { get; set; } = "https://fcm.googleapis.com";

    /// <summary>Where access tokens are had; absent: what the key file says.</summary>
    [Url]
    public string? TokenUrl { get; set; }

    public bool IsConfigured => ProjectId is { Length: > 0 } && ServiceAccount is { Length: > 0 };
}

internal sealed class PushOptionsValidator : IValidateOptions<PushOptions>
{
    public ValidateOptionsResult Validate(string? name, PushOptions options)
    {
        if (options.ProjectId is { Length: > 0 } project
            && project.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or ':' or '.')))
        {
            return ValidateOptionsResult.Fail($"{nameof(options.ProjectId)} must be the id of a Firebase project");
        }
        return !options.IsConfigured || ServiceAccount.Read(options.ServiceAccount!) is not null
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"{nameof(options.ServiceAccount)} must be a service account's key file (JSON with client_email and private_key), or its content");
    }
}
