using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>What the routes of people, organizations and keys take and give.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(KeysApi.KeyRequest))]
[JsonSerializable(typeof(RotationTerms))]
[JsonSerializable(typeof(Listing<KeyRow>))]
[JsonSerializable(typeof(KeysApi.CreatedKey))]
[JsonSerializable(typeof(KeyRow))]
[JsonSerializable(typeof(Dictionary<string, JsonNode>))]
[JsonSerializable(typeof(MeView))]
[JsonSerializable(typeof(PersonTerms))]
[JsonSerializable(typeof(MeApi.PasswordChange))]
[JsonSerializable(typeof(MeApi.EmailChange))]
[JsonSerializable(typeof(MeApi.OrganizationChoice))]
[JsonSerializable(typeof(MeApi.OwnSessions))]
[JsonSerializable(typeof(MeApi.OwnAccounts))]
[JsonSerializable(typeof(SessionsApi.Credentials))]
[JsonSerializable(typeof(Organization))]
[JsonSerializable(typeof(OrganizationTerms))]
[JsonSerializable(typeof(OrganizationsApi.NewName))]
[JsonSerializable(typeof(Listing<Member>))]
[JsonSerializable(typeof(MembersApi.RoleChange))]
[JsonSerializable(typeof(MembersApi.InvitationRequest))]
[JsonSerializable(typeof(MembersApi.Acceptance))]
[JsonSerializable(typeof(Listing<InvitationView>))]
[JsonSerializable(typeof(NewInvitation))]
[JsonSerializable(typeof(Listing<Principal>))]
[JsonSerializable(typeof(PrincipalsApi.PrincipalRequest))]
[JsonSerializable(typeof(Listing<AuditEntry>))]
[JsonSerializable(typeof(Listing<PeopleApi.PersonRow>))]
[JsonSerializable(typeof(PeopleApi.StateChange))]
[JsonSerializable(typeof(NewPasswordReset))]
internal sealed partial class IdentityJson : JsonSerializerContext;
