using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Secrets;

/// <summary>The secrets of an organization: a value goes in and never comes out.</summary>
internal static class SecretsApi
{
    private const int MaxName = 64;

    public static void MapSecrets(this IEndpointRouteBuilder routes)
    {
        var secrets = routes.MapGroup("/secrets").WithTags("Secrets").RequireCaller(MemberRole.Admin);
        secrets.MapGet("/", ListAsync).WithSummary("List the names of the organization's secrets");
        secrets.MapPut("/{name}", SetAsync).WithSummary("Set a secret that headers of tools name");
        secrets.MapDelete("/{name}", RemoveAsync).WithSummary("Remove a secret");
    }

    internal static async Task<Ok<SecretList>> ListAsync(Caller caller, SecretVault vault, CancellationToken ct) =>
        TypedResults.Ok(new SecretList(await vault.ListAsync(caller.OrganizationId, ct)));

    internal static async Task<Ok<SecretName>> SetAsync(
        string name, SecretValue body, Caller caller, SecretVault vault, CancellationToken ct)
    {
        Failure.ThrowIfAny(CheckName(name).Concat(body.Check()));
        return TypedResults.Ok(await vault.SetAsync(caller.OrganizationId, name, body.Value!, ct));
    }

    internal static async Task<NoContent> RemoveAsync(string name, Caller caller, SecretVault vault, CancellationToken ct) =>
        await vault.RemoveAsync(caller.OrganizationId, name, ct) ? TypedResults.NoContent() : throw Failure.NotFound("Secret");

    private static IEnumerable<FieldError> CheckName(string name)
    {
        if (name.Length > MaxName || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-'))
        {
            yield return new("name", $"name must have 1 to {MaxName} letters, digits, _ or -");
        }
    }

    /// <summary>At most a thousand.</summary>
    internal sealed record SecretList(IReadOnlyList<SecretName> Items);

    internal sealed record SecretValue(string? Value)
    {
        public IEnumerable<FieldError> Check()
        {
            if (Value is not { Length: > 0 and <= SecretVault.MaxValue } || Value.Any(char.IsControl))
            {
                yield return new("value", $"value must have 1 to {SecretVault.MaxValue} characters, as a header can carry them");
            }
        }
    }
}
