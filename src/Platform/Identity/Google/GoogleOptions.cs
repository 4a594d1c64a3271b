using System.ComponentModel.DataAnnotations;

namespace Stoa.Platform.Identity;

/// <summary>Section <c>Google</c>: whose ID tokens people sign in with.</summary>
public sealed class GoogleOptions
{
    public const string Section = "Google";

    /// <summary>The audience that a token must name. Absent: nobody signs in with Google.</summary>
    public string? ClientId { get; set; }

    /// <summary>Where Google shows its keys as a JSON Web Key Set.</summary>
    [Required, Url]
    public string CertificatesUrl { get; set; } = "https://www.googleapis.com/oauth2/v3/certs";

    /// <summary>Accepted values of <c>iss</c>, separated by commas.</summary>
    [Required]
    public string Issuers { get; set; } = "accounts.google.com,https://accounts.google.com";
}
