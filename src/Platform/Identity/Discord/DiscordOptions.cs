using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Identity;

/// <summary>Section <c>Discord</c>: sign-in with a Discord account (https://discord.com/developers/docs/topics/oauth2).</summary>
public sealed class DiscordOptions
{
    public const string Section = "Discord";

    /// <summary>The application's id. Absent: nobody signs in with Discord.</summary>
    public string? ClientId { get; set; }

    /// <summary>Goes with <see cref="ClientId"/>.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>Whether a Discord account that is linked to nobody makes a new person. He belongs to no organization at first.</summary>
    public bool SignUp { get; set; }

    /// <summary>Where people are sent.</summary>
    [Required, Url]
    public string AuthorizeUrl { get; set; } = "https://discord.com/oauth2/authorize";

    [Required, Url]
    public string TokenUrl { get; set; } = "https://discord.com/api/v10/oauth2/token";

    /// <summary>Tells whose the token is.</summary>
    [Required, Url]
    public string UserUrl { get; set; } = "https://discord.com/api/v10/users/@me";

    public bool IsConfigured => !string.IsNullOrWhiteSpace(ClientId);
}

internal sealed class DiscordOptionsValidator : IValidateOptions<DiscordOptions>
{
    public ValidateOptionsResult Validate(string? name, DiscordOptions options) => options switch
    {
        { IsConfigured: true } when string.IsNullOrWhiteSpace(options.ClientSecret) =>
            ValidateOptionsResult.Fail("ClientSecret must be set where ClientId is: without it nobody can sign in with Discord"),
        { IsConfigured: false } when !string.IsNullOrWhiteSpace(options.ClientSecret) || options.SignUp =>
            ValidateOptionsResult.Fail("ClientId must be set where ClientSecret or SignUp is: without it nobody can sign in with Discord"),
        _ => ValidateOptionsResult.Success,
    };
}
