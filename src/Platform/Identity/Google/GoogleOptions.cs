using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Identity;

/// <summary>Section <c>Google</c>: whose ID tokens people sign in with.</summary>
public sealed class GoogleOptions
{
    public const string Section = "Google";

    /// <summary>The audience that a token must name. Absent: nobody signs in with Google.</summary>
    public string? ClientId { get; set; }

    /// <summary>For the button on the sign-in page, which needs it; tokens that others bring are read without.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>Whether a Google account that is linked to nobody makes a new person. He belongs to no organization at first.</summary>
    public bool SignUp { get; set; }

    /// <summary>Where people are sent.</summary>
    [Required, Url]
    public string AuthorizeUrl { get; set; } = "https://accounts.google.com/o/oauth2/v2/auth";

    [Required, Url]
    public string TokenUrl { get; set; } = "https://oauth2.googleapis.com/token";

    /// <summary>Where Google shows its keys as a JSON Web Key Set.</summary>
    [Required, Url]
    public string CertificatesUrl { get; set; } = "https://www.googleapis.com/oauth2/v3/certs";

    /// <summary>Accepted values of <c>iss</c>, separated by commas.</summary>
    [Required]
    public string Issuers { get; set; } = "accounts.google.com,https://accounts.google.com";
}

/// <summary>An id without a secret is no mistake: a front end of its own brings tokens, and then there is no button.</summary>
internal sealed class GoogleOptionsValidator : IValidateOptions<GoogleOptions>
{
    public ValidateOptionsResult Validate(string? name, GoogleOptions options) =>
        string.IsNullOrWhiteSpace(options.ClientId) && (!string.IsNullOrWhiteSpace(options.ClientSecret) || options.SignUp)
            ? ValidateOptionsResult.Fail("ClientId must be set where ClientSecret or SignUp is: without it nobody can sign in with Google")
            : ValidateOptionsResult.Success;
}
