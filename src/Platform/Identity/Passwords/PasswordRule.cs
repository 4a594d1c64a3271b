using System.Text;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>What a new password must be like. Length alone counts; classes of characters only make people write it down.</summary>
public sealed class PasswordRule(IOptions<PersonOptions> options)
{
    /// <summary>Longer ones cost more to hash than they add. It holds when signing in too.</summary>
    public const int MaxLength = 256;

    public int MinLength => options.Value.PasswordMinLength;

    /// <param name="name">The field, as the caller knows it.</param>
    public void Check(string? password, string name)
    {
        if (!IsUsable(password) || password.Normalize(NormalizationForm.FormKC).EnumerateRunes().Count() < MinLength)
        {
            throw Failure.Invalid($"The password must have between {MinLength} and {MaxLength} characters", name, "weak_password");
        }
        if (password.Distinct().Count() < 4)
        {
            throw Failure.Invalid("The password repeats the same few characters", name, "weak_password");
        }
    }

    /// <summary>False for what can be nobody's password: it is not worth hashing.</summary>
    public static bool IsUsable([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] string? password) =>
        password is { Length: > 0 and <= MaxLength } && PersonTerms.IsWellFormed(password)
            && !password.Contains('\0', StringComparison.Ordinal);
}
