using System.ComponentModel.DataAnnotations;

namespace Stoa.Platform.Identity;

/// <summary>Section <c>Discord</c>: sign-in with a Discord account (https://discord.com/developers/docs/topics/oauth2).</summary>
public sealed class DiscordOptions
{
    public const string Section = "Discord";

    /// <summary>The application's id. Absent: nobody signs in with Discord.</summary>
    public string? ClientId { get; set; }

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

    public bool IsConfigured => !string.IsNullOrWhiteSpace(ClientId) && !string.IsNullOrWhiteSpace(ClientSecret);
}
