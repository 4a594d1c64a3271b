using System.Security.Cryptography;
using System.Text.Json;

namespace Stoa.Assistants.Push;

/// <summary>What a service account's key file tells.</summary>
internal sealed record ServiceAccount(string Email, RSAParameters Key, string? KeyId, string TokenUrl)
{
    private const string GoogleTokens = "https://oauth2.googleapis.com/token";

    /// <param name="setting">A path, or the content.</param>
    /// <returns>Null when it is no such file.</returns>
    public static ServiceAccount? Read(string setting)
    {
        try
        {
            using var document = JsonDocument.Parse(setting.TrimStart().StartsWith('{') ? setting : File.ReadAllText(setting));
            var root = document.RootElement;
            using var rsa = RSA.Create();
            rsa.ImportFromPem(Text(root, "private_key") ?? "");
            return Text(root, "client_email") is { Length: > 0 } email
                ? new(email, rsa.ExportParameters(includePrivateParameters: true),
                    Text(root, "private_key_id"), Text(root, "token_uri") ?? GoogleTokens)
                : null;
        }
        catch (Exception wrong)
            when (wrong is JsonException or IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
